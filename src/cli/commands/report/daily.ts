import path from 'node:path';
import type { Command } from 'commander';
import { keepReport } from '../../../app/report/keep.ts';
import { openStoreAdmin, openObjects, type BucketConnection } from '../../../compose.ts';
import type { DailyReport, WrittenReport } from '../../../documents/reports/daily.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe, offering } from '../../help.ts';
import { csvText } from '../../output/csv.ts';
import { reportHtml } from '../../output/report/html.ts';
import { choice } from '../../parse.ts';
import type { Session } from '../../session.ts';
import {
  CSV_COLUMNS,
  csvRows,
  hasBegun,
  readDay,
  printDay,
  printUnpriced,
  takingDay,
  withDate,
  type DayFlags,
} from './day.ts';

interface Flags extends DayFlags {
  readonly to: string;
  readonly format: string;
}

type Format = 'csv' | 'json' | 'html';
const FORMATS: readonly Format[] = ['csv', 'json', 'html'];

export function registerDaily(report: Command, session: Session): void {
  takingDay(
    describe(report.command('daily'), {
      summary: 'write the sales of a day to files',
      prose:
        'Writes sales-DATE.csv (a row for each product and source), .json (the whole report) and .html (with charts). Once ' +
        'a day is over, its files have the same bytes each time, unless sales arrive late; unchanged files are not ' +
        'written again. The totals become the row of that day in the list of reports (reports.csv, or the table reports). ' +
        'A bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for gs:// an HMAC key); AWS_REGION sets its region, ' +
        'AWS_ENDPOINT_URL another server.',
      examples: [
        ['orderctl report daily yesterday --time-zone UTC', 'write to the folder reports'],
        ['orderctl report daily --to s3://shop/sales --format csv', 'write to a bucket'],
      ],
    }),
  )
    .option('--to <PLACE>', 'folder, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER', 'reports')
    .addOption(offering('--format <LIST>', 'which of csv, json, html', FORMATS).default(FORMATS.join(',')))
    .action(async (given: string | undefined, flags: Flags) => {
      await write(session, withDate(given, flags));
    });
}

const TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  html: 'text/html; charset=utf-8',
};

async function write(session: Session, flags: Flags): Promise<void> {
  const { printer, isJson } = session;
  const formats = [...new Set(flags.format.split(','))].map((text) =>
    choice('--format', text, 'a format', FORMATS),
  );
  const objects = await openObjects(placeOf(session, flags.to));
  const report = await readDay(session, flags);
  const files: WrittenReport['files'][number][] = [];
  for (const format of formats) {
    const file = `sales-${report.report_date}.${format}`;
    const bytes = Buffer.from(await render(report, format));
    const state = await objects.put(file, bytes, TYPES[format]);
    files.push({ file, state, size_bytes: bytes.byteLength });
    if (!isJson) await printer.text(`${state} ${flags.to.replace(/\/+$/, '')}/${file}\n`);
  }
  await keepReport((await openStoreAdmin(session.settings)).lists, report);
  const { report_date, time_zone, complete, total_sales, order_count } = report;
  if (flags.date === undefined) printDay(session, report, flags);
  printUnpriced(session, report);
  const state = hasBegun(report) ? 'is not over' : 'has not begun';
  if (!complete) printer.warn(`${report_date} ${state}: the report will change`);
  if (!isJson) return;
  const counts = { report_date, time_zone, complete, total_sales, order_count };
  const document: WrittenReport = { ...counts, to: flags.to, files };
  await printer.data(`${JSON.stringify(document)}\n`);
}

async function render(report: DailyReport, format: Format): Promise<string> {
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  if (format === 'html') return reportHtml(report);
  return csvText(CSV_COLUMNS, csvRows(report));
}

function placeOf({ env, cwd }: Session, to: string): Parameters<typeof openObjects>[0] {
  if (!/^[a-z0-9]+:\/\//i.test(to)) return { place: to, folder: path.resolve(cwd, to) };
  if (!/^(s3|gs):\/\/[a-z0-9][a-z0-9._-]+(\/[^?#]*)?$/.test(to)) {
    throw new Failure('invalid_value', `--to: ${JSON.stringify(to)} is neither a folder nor a bucket`, {
      fix: 'use a folder, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER',
    });
  }
  const bucket: BucketConnection = {
    url: to,
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL ?? null,
    region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? null,
    credentials: {
      accessKeyId: needed(env, 'AWS_ACCESS_KEY_ID'),
      secretAccessKey: needed(env, 'AWS_SECRET_ACCESS_KEY'),
      sessionToken: env.AWS_SESSION_TOKEN ?? null,
    },
  };
  return { bucket };
}

function needed(env: Session['env'], name: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new Failure('invalid_settings', `a bucket needs ${name} in the environment`, {
    fix: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  });
}
