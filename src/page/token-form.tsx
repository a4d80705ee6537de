import { isRefused, takeToken } from './data/token.ts';
import { fieldIn } from './text.ts';

/** Where the server asks for a token, nothing of the shop is shown without one. */
export function TokenForm() {
  if (!isRefused.value) return null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    takeToken(fieldIn(event, 'token'));
  };
  return (
    <form class="card token" onSubmit={submit}>
      <h2>This shop asks for a token</h2>
      <p class="quiet">
        It is the first line of the file that <code>orderctl serve --api-token-file</code> was given. This tab
        keeps it until it is closed.
      </p>
      <label>
        Token
        <input name="token" type="password" required autocomplete="off" />
      </label>
      <button type="submit">Use it</button>
    </form>
  );
}
