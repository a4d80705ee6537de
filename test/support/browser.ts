import fs from 'node:fs';
import { chromium as driver, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine, or that of ORDERCTL_TEST_CHROMIUM; undefined, with a message, when there is none. */
export const chromium = find();

function find(): string | undefined {
  const given = process.env.ORDERCTL_TEST_CHROMIUM ?? PLACES.find((place) => fs.existsSync(place));
  if (given !== undefined) return given;
  const how = 'to run the tests of the page: apt-get install chromium, or set ORDERCTL_TEST_CHROMIUM to one';
  // Where everything must have run, a missing browser is a failure, not a reason to skip.
  if (process.env.CI === 'true') throw new Error(`there is no Chromium; ${how}`);
  process.stderr.write(`SKIPPED: tests in a browser, which is missing here; ${how}\n`);
  return undefined;
}

/** Contacts no server but that of the page that is opened. */
export function launch(executablePath: string): Promise<Browser> {
  return driver.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  });
}
