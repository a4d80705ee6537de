"""Runs "orderctl report daily" for each day, and checks its totals against those in the database.

The settings are orderctl's, in the environment of the workers: ORDERCTL_STORE (postgres://…),
ORDERCTL_STORE_PASSWORD_FILE, for a bucket AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL; and these:
"""

import json
import logging
import os
import subprocess
import urllib.request
from datetime import timedelta

import pendulum
from airflow.providers.common.sql.operators.sql import SQLCheckOperator
from airflow.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

# The time zone that defines a day, which has 23, 24 or 25 hours.
TIME_ZONE = os.environ.get("ORDERCTL_REPORT_TIME_ZONE", "UTC")
# A folder, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER.
PLACE = os.environ.get("ORDERCTL_REPORT_TO", "reports")
# The command that runs orderctl.
PROGRAM = os.environ.get("ORDERCTL_PROGRAM", "orderctl").split()
# The first day for which reports are made.
FIRST_DAY = os.environ.get("ORDERCTL_REPORT_FIRST_DAY", "2026-01-01")
# The webhook, which must accept JSON, to which failures are sent. Without it, failures are only logged.
ALERT_URL = os.environ.get("ORDERCTL_ALERT_URL")
RETRY_SECONDS = int(os.environ.get("ORDERCTL_REPORT_RETRY_SECONDS", "300"))
# The name of the Airflow connection to the store's database (AIRFLOW_CONN_ORDERCTL).
CONNECTION = "orderctl"


def alert(context):
    """Called after the last retry has failed: nobody looks at a scheduler every morning."""
    failed = context["ti"]
    text = f"{failed.dag_id}.{failed.task_id} of {context['run_id']} failed: {context.get('exception')}"
    logging.getLogger("orderctl").error(text)
    if ALERT_URL:
        request = urllib.request.Request(
            ALERT_URL, json.dumps({"text": text}).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()


with DAG(
    dag_id="orderctl_daily",
    # Orders still in progress at midnight are in the report when it is made again.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone=TIME_ZONE),
    start_date=pendulum.parse(FIRST_DAY, tz=TIME_ZONE),
    catchup=True,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=RETRY_SECONDS),
        "retry_exponential_backoff": True,
        "on_failure_callback": alert,
    },
    tags=["orderctl"],
    doc_md=__doc__,
):

    @task
    def report(data_interval_start=None):
        """Writes the files of the day and its row in the list of reports; running it again gives the same result."""
        day = data_interval_start.in_timezone(TIME_ZONE).date().isoformat()
        command = [*PROGRAM, "report", "daily", "--date", day, "--time-zone", TIME_ZONE, "--to", PLACE, "-o", "json"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=3600)
        print(ended.stderr)
        if ended.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} exited with {ended.returncode}: {ended.stderr}")
        return json.loads(ended.stdout)

    made = report()

    SQLCheckOperator(
        task_id="check",
        conn_id=CONNECTION,
        # Returns one row: whether the total equals that of the files.
        sql="""SELECT total_sales = {{ ti.xcom_pull(task_ids='report')['total_sales'] }}
            FROM shop.reports WHERE report_date = '{{ ti.xcom_pull(task_ids='report')['report_date'] }}'""",
    ).set_upstream(made)
