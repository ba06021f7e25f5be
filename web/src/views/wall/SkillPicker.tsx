// Which skills: by name where they have one, and by number.
import { useState } from 'preact/hooks';
import { namedSkills, skillName } from '../../app/names';
import { strings } from '../../app/strings';
import { Dialog } from '../../parts/Dialog';

interface Props {
  account: string;
  /** `all`, or numbers separated by commas. */
  skillIds: string;
  /** Skills that have been seen in reports, whether they have names or not. */
  seen: Iterable<string>;
  onChoose: (skillIds: string) => void;
}

// A list of thousands is no list: more are found by typing.
const MOST = 300;

export function SkillPicker(props: Props) {
  const [open, setOpen] = useState(false);
  const words = strings.wall.picker;
  const chosen = props.skillIds === 'all' ? [] : props.skillIds.split(',');
  const first = chosen[0];
  const shown = first === undefined ? words.all : chosen.length === 1 ? (skillName(props.account, first) ?? `${strings.wall.skill} ${first}`) : words.some(chosen.length);
  return (
    <div class="field">
      <span id="skills-label">{words.label}</span>
      <button type="button" id="skills-chosen" class="picker" aria-haspopup="dialog" aria-labelledby="skills-label skills-chosen" onClick={() => setOpen(true)}>
        {shown}
      </button>
      {open && <Choice {...props} chosen={chosen} onClose={() => setOpen(false)} />}
    </div>
  );
}

function Choice({ account, seen, chosen, onChoose, onClose }: Props & { chosen: string[]; onClose: () => void }) {
  const [numbers, setNumbers] = useState(chosen.join(','));
  const [find, setFind] = useState('');
  const words = strings.wall.picker;
  const marked = new Set(numbers.split(',').map((one) => one.trim()).filter((one) => one !== ''));
  const right = [...marked].every((one) => /^\d{1,18}$/.test(one));
  const known = [...new Set([...namedSkills(account), ...seen, ...chosen])]
    .map((skill) => ({ skill, name: skillName(account, skill) }))
    .filter(({ skill, name }) => `${skill} ${name ?? ''}`.toLowerCase().includes(find.trim().toLowerCase()))
    .sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '') || Number(a.skill) - Number(b.skill));

  function mark(skill: string, on: boolean): void {
    if (on) marked.add(skill);
    else marked.delete(skill);
    setNumbers([...marked].join(','));
  }
  function choose(skillIds: string): void {
    onChoose(skillIds);
    onClose();
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form
        class="skill-choice"
        onSubmit={(event) => {
          event.preventDefault();
          if (right) choose(marked.size === 0 ? 'all' : [...marked].join(','));
        }}
      >
        <input type="search" aria-label={words.find} placeholder={words.find} value={find} onInput={(event) => setFind(event.currentTarget.value)} autofocus />
        <ul class="skill-list">
          {known.slice(0, MOST).map(({ skill, name }) => (
            <li key={skill}>
              <label class="check">
                <input type="checkbox" checked={marked.has(skill)} onChange={(event) => mark(skill, event.currentTarget.checked)} />
                <span>{name ?? `${strings.wall.skill} ${skill}`}</span>
                {name !== null && <span class="quiet small">{skill}</span>}
              </label>
            </li>
          ))}
        </ul>
        {known.length === 0 && <p class="quiet">{words.none}</p>}
        <label class="field">
          <span>{words.numbers}</span>
          <input value={numbers} inputMode="numeric" aria-invalid={!right} title={words.wrong} onInput={(event) => setNumbers(event.currentTarget.value)} />
        </label>
        <div class="choice-end">
          <button type="submit" class="main" disabled={!right}>{words.show}</button>
          <button type="button" onClick={() => choose('all')}>{words.showAll}</button>
          <button type="button" onClick={onClose}>{strings.cancel}</button>
        </div>
      </form>
    </Dialog>
  );
}
