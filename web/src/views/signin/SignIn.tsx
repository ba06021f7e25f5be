// Where the server has tokens and nobody has shown one yet.
import { useState } from 'preact/hooks';
import { Notice } from '../../parts/Notice';
import { hindrance, signIn } from '../../app/session';
import icon from '../../app/icon.svg';
import { strings } from '../../app/strings';

export function SignIn() {
  const [token, setToken] = useState('');
  const [keep, setKeep] = useState(false);
  const [shown, setShown] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const words = strings.signIn;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (token.trim() === '') return;
    setBusy(true);
    await signIn(token.trim(), keep);
    setTried(true);
    setBusy(false);
  }

  return (
    <main class="sign-in" id="content">
      <form onSubmit={(event) => void submit(event)} autocomplete="off">
        <img src={icon} alt="" width="40" height="40" />
        <h1>{words.title}</h1>
        <p class="quiet">{words.lead}</p>
        <label class="field">
          <span>{words.token}</span>
          <input
            type={shown ? 'text' : 'password'}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            autofocus
            required
            aria-invalid={tried && hindrance.value !== null ? true : undefined}
            aria-describedby="sign-in-problem"
          />
        </label>
        <label class="check"><input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} /> {words.show}</label>
        <label class="check" title={words.keepHint}>
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} /> {words.keep}
        </label>
        <p class="quiet small">{words.keepHint}</p>
        <div id="sign-in-problem">
          {tried && hindrance.value !== null && <Notice tone="error">{hindrance.value.status === 401 ? words.refused : strings.unreachable}</Notice>}
        </div>
        <button type="submit" class="main" disabled={busy}>{words.submit}</button>
      </form>
    </main>
  );
}
