// A labelled choice.
interface Props<T extends string> {
  label: string;
  value: T;
  choices: readonly { value: T; title: string }[];
  onChange: (value: T) => void;
}

export function Select<T extends string>({ label, value, choices, onChange }: Props<T>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value} selected={choice.value === value}>{choice.title}</option>
        ))}
      </select>
    </label>
  );
}
