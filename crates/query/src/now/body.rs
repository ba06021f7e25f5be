//! JSON with numbers by skill and in total, in the style of the report.

use std::fmt::Write;

use skillscope_store::OpenSkill;

/// A skill with its open conversations.
pub(super) type SkillNow<'o> = (i64, &'o OpenSkill);

/// A name and its number, which is a count or milliseconds.
pub(super) type Member = (&'static str, i128);

/// About the bytes of one skill.
const BYTES_PER_SKILL: usize = 640;

/// A wait; `otherwise` where nobody waits.
pub(super) fn milliseconds(wait: Option<i64>, otherwise: i64) -> i128 {
    wait.unwrap_or(otherwise).into()
}

/// The whole body. `numbers` gives those of some skills together, and `time` is told beside each skill's.
pub(super) fn write_body(
    skills: &[SkillNow<'_>],
    time: Time,
    numbers: impl Fn(&[SkillNow<'_>]) -> Vec<Member>,
) -> String {
    let mut out = String::with_capacity((skills.len() + 1).saturating_mul(BYTES_PER_SKILL));
    out.push('{');
    if let Time::OfAll(now) = time {
        write_member(&mut out, "time", now.into());
        out.push(',');
    }
    out.push_str(r#""skillsMetrics":{"#);
    for (place, skill) in skills.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(out, r#"{comma}"{}":"#, skill.0);
        let of_skill = if let Time::OfEach(now) = time { Some(("time", now.into())) } else { None };
        write_object(&mut out, of_skill.into_iter().chain(numbers(std::slice::from_ref(skill))));
    }
    out.push_str(r#"},"metricsTotal":"#);
    write_object(&mut out, numbers(skills).into_iter());
    out.push('}');
    out
}

/// Where the instant of the answer is told, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    /// Once, beside skills and total.
    OfAll(i64),
    /// With each skill.
    OfEach(i64),
}

fn write_object(out: &mut String, members: impl Iterator<Item = Member>) {
    out.push('{');
    for (place, (name, value)) in members.enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_member(out, name, value);
    }
    out.push('}');
}

fn write_member(out: &mut String, name: &str, value: i128) {
    let _ = write!(out, r#""{name}":{value}"#);
}
