import { render } from 'preact';
import { Flow } from './flow.tsx';
import { Orders } from './orders.tsx';
import { Place } from './place.tsx';
import { start } from './state.ts';
import { Stock } from './stock.tsx';
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
        <Verdict />
        <Flow />
        <div class="columns">
          <Orders />
          <div>
            <Place />
            <Stock />
          </div>
        </div>
      </main>
    </>
  );
}

start();
render(<Page />, document.body);
