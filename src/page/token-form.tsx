import { isRefused, takeToken } from './data/token.ts';
import { fieldIn } from './text.ts';

/** Shown instead of the shop if the server requires a token and the page has none. */
export function TokenForm() {
  if (!isRefused.value) return null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    takeToken(fieldIn(event, 'token'));
  };
  return (
    <form class="card token" onSubmit={submit}>
      <h2>This shop requires a token</h2>
      <p class="quiet">
        It is the first line of the file given to <code>orderctl serve --api-token-file</code>. This tab keeps
        it until it is closed.
      </p>
      <label>
        Token
        <input name="token" type="password" required autocomplete="off" />
      </label>
      <button type="submit">Use it</button>
    </form>
  );
}
