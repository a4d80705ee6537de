import { DashboardBuilder, RowBuilder, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/*
 * The dashboard, as code. dashboards/orderctl.json is generated from it: npx vitest run --config vitest.all.config.ts
 * test/unit/monitoring.test.ts -u
 */

/** As in provisioning/datasources/prometheus.yml. */
const PROMETHEUS = { type: 'prometheus', uid: 'orderctl-prometheus' };

interface Panel {
  readonly title: string;
  readonly description: string;
  /** A unit of Grafana: `s`, `reqps`, `short`. */
  readonly unit: string;
  readonly expr: string;
  readonly legend: string;
}

function query({ expr, legend }: Pick<Panel, 'expr' | 'legend'>): DataqueryBuilder {
  return new DataqueryBuilder().refId('A').datasource(PROMETHEUS).expr(expr).legendFormat(legend);
}

function lines(panel: Panel): PanelBuilder {
  const { title, description, unit } = panel;
  return new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .min(0)
    .span(12)
    .height(8)
    .withTarget(query(panel));
}

function number(panel: Panel): StatBuilder {
  const { title, description, unit } = panel;
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .span(6)
    .height(4)
    .withTarget(query(panel));
}

/* The classic format, which every Grafana imports; that of dashboardv2 needs Grafana 12. */
/* eslint-disable @typescript-eslint/no-deprecated */

export function dashboard(): Dashboard {
  return new DashboardBuilder('orderctl')
    .uid('orderctl')
    .tags(['orderctl'])
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withRow(new RowBuilder('The shop'))
    .withPanel(
      number({
        title: 'Books',
        description: '1 if put in − sold + returned = on hand for each item',
        unit: 'short',
        expr: 'min(orderctl_books_balanced)',
        legend: '',
      }),
    )
    .withPanel(
      number({
        title: 'Processors',
        description: 'Number of processors that run',
        unit: 'short',
        legend: '',
        expr: 'sum(max by (processor) (orderctl_processor_running))',
      }),
    )
    .withPanel(
      number({
        title: 'Waiting records',
        description: 'Records behind the end of all topics',
        unit: 'short',
        expr: 'sum(processor:orderctl_lag_records:sum)',
        legend: '',
      }),
    )
    .withPanel(
      number({
        title: 'Dead letters',
        description: 'In their topics, including redriven ones',
        unit: 'short',
        expr: 'max(orderctl_dead_letters)',
        legend: '',
      }),
    )
    .withRow(new RowBuilder('Processors'))
    .withPanel(
      lines({
        title: 'Records a second',
        description: 'Committed records by outcome',
        unit: 'reqps',
        expr: 'processor_outcome:orderctl_records:rate5m > 0',
        legend: '{{processor}} {{outcome}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Lag',
        description: 'Records behind the end',
        unit: 'short',
        legend: '{{processor}}',
        expr: 'processor:orderctl_lag_records:sum',
      }),
    )
    .withPanel(
      lines({
        title: 'From record to commit, p95',
        description: 'Of the first record of each batch',
        unit: 's',
        legend: '{{processor}}',
        expr: 'processor:orderctl_record_latency_seconds:p95_5m',
      }),
    )
    .withPanel(
      lines({
        title: 'Commit, p95',
        description: 'From a decoded batch to the durable transaction',
        unit: 's',
        expr: 'histogram_quantile(0.95, sum by (processor, le) (rate(orderctl_commit_duration_seconds_bucket[5m])))',
        legend: '{{processor}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Sync of the disk, p90',
        description: 'fdatasync, or COMMIT of PostgreSQL',
        unit: 's',
        expr: 'histogram_quantile(0.9, sum by (instance, le) (rate(orderctl_sync_duration_seconds_bucket[5m])))',
        legend: '{{instance}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Outbox',
        description: 'Committed but not sent yet',
        unit: 'short',
        expr: 'sum by (destination) (orderctl_outbox_messages)',
        legend: '{{destination}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Calls to external services',
        description: 'Charges, refunds, mails, webhooks',
        unit: 'reqps',
        expr: 'sum by (processor, outcome) (rate(orderctl_effect_tries_total[5m]))',
        legend: '{{processor}} {{outcome}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Waits',
        description: '1 while the service does not answer',
        unit: 'short',
        expr: 'max by (service) (orderctl_waiting)',
        legend: '{{service}}',
      }),
    )
    .withRow(new RowBuilder('HTTP'))
    .withPanel(
      lines({
        title: 'Requests a second',
        description: 'By route and status class',
        unit: 'reqps',
        expr: 'route_status:orderctl_http_requests:rate5m > 0',
        legend: '{{route}} {{status}}',
      }),
    )
    .withPanel(
      lines({
        title: 'Duration, p95',
        description: 'By route',
        unit: 's',
        legend: '{{route}}',
        expr: 'histogram_quantile(0.95, sum by (route, le) (rate(orderctl_http_request_duration_seconds_bucket[5m])))',
      }),
    )
    .withRow(new RowBuilder('Processes'))
    .withPanel(
      lines({
        title: 'CPU',
        description: 'CPU cores in use',
        unit: 'short',
        legend: '{{part}} {{instance}}',
        expr: 'rate(process_cpu_seconds_total{job="orderctl"}[5m])',
      }),
    )
    .withPanel(
      lines({
        title: 'Memory',
        description: 'Resident',
        unit: 'bytes',
        legend: '{{part}} {{instance}}',
        expr: 'process_resident_memory_bytes{job="orderctl"}',
      }),
    )
    .build();
}
