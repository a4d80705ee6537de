import { render } from 'preact';
import { AlertsAndMail } from './alerts.tsx';
import { Breaking } from './breaking.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { Flow } from './flow/flow.tsx';
import { Hours } from './hours.tsx';
import { Orders } from './orders/orders.tsx';
import { Place } from './orders/place.tsx';
import { start } from './data/state.ts';
import { Stock } from './stock.tsx';
import { TokenForm } from './token-form.tsx';
import { isRefused } from './data/token.ts';
import { Verdict } from './verdict.tsx';

function Page() {
  return (
    <>
      <header>
        <h1>orderctl</h1>
        <nav aria-label="More">
          <a href="/docs">API</a>
        </nav>
      </header>
      <main>
        <TokenForm />
        {isRefused.value ? null : (
          <>
            <Verdict />
            <Flow />
            <Breaking />
            <div class="columns">
              <Orders />
              <div>
                <Place />
                <Stock />
              </div>
            </div>
            <div class="columns">
              <DeadLetters />
              <AlertsAndMail />
            </div>
            <Hours />
          </>
        )}
      </main>
    </>
  );
}

start();
render(<Page />, document.body);
