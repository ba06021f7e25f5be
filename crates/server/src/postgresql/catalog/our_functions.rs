//! The functions that are ours and not PostgreSQL's, as tools list them.

/// A function.
#[derive(Debug)]
pub(super) struct OurFunction {
    pub(super) name: &'static str,
    /// Its arguments with their types, as they stand in a definition.
    pub(super) arguments: &'static str,
    /// The names and the numbers of the types of its arguments.
    pub(super) parameters: &'static [(&'static str, i32)],
    /// The type of what it gives.
    pub(super) result: &'static str,
    /// The number of that type.
    pub(super) result_type: i32,
    /// Whether it gives rows.
    pub(super) gives_rows: bool,
    pub(super) does: &'static str,
}

/// All of them.
pub(super) const OUR_FUNCTIONS: [OurFunction; 3] = [
    OurFunction {
        name: "kill_query",
        arguments: "id bigint",
        parameters: &[("id", 20)],
        result: "boolean",
        result_type: 16,
        gives_rows: false,
        does: "Ends the statement that has this number in system.queries; true where there was one.",
    },
    OurFunction {
        name: "report_segments",
        arguments: "account text, now timestamp with time zone, timeframe bigint, \"interval\" bigint DEFAULT NULL, \
                    interval_start timestamp with time zone DEFAULT NULL, skill_id bigint DEFAULT NULL, \
                    metric text DEFAULT NULL, user_type text DEFAULT NULL",
        parameters: &[
            ("account", 25),
            ("now", 1184),
            ("timeframe", 20),
            ("interval", 20),
            ("interval_start", 1184),
            ("skill_id", 20),
            ("metric", 25),
            ("user_type", 25),
        ],
        result: "SETOF record",
        result_type: 2249,
        gives_rows: true,
        does: "The segments that a figure of the report counts.",
    },
    OurFunction {
        name: "skill_report",
        arguments: "account text, now timestamp with time zone, timeframe bigint, \"interval\" bigint DEFAULT NULL, \
                    skill_ids text DEFAULT NULL, user_type text DEFAULT NULL",
        parameters: &[
            ("account", 25),
            ("now", 1184),
            ("timeframe", 20),
            ("interval", 20),
            ("skill_ids", 25),
            ("user_type", 25),
        ],
        result: "SETOF record",
        result_type: 2249,
        gives_rows: true,
        does: "The report of the endpoint as rows: metrics by interval and skill, with totals where these are null.",
    },
];

impl OurFunction {
    /// How many of them can be left out.
    pub(super) fn defaults(&self) -> usize {
        self.arguments.matches("DEFAULT").count()
    }

    /// The arguments without what stands for those that are left out.
    pub(super) fn identity(&self) -> String {
        self.arguments.replace(" DEFAULT NULL", "")
    }

    /// A statement that would define it, if functions could be defined.
    pub(super) fn definition(&self) -> String {
        format!(
            "CREATE OR REPLACE FUNCTION public.{}({})\n RETURNS {}\n LANGUAGE internal\nAS $function${}$function$\n",
            self.name, self.arguments, self.result, self.name
        )
    }
}
