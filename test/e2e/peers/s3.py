"""A server of S3 that checks signatures: makes a bucket and a user, prints where it is as JSON, and ends with its stdin."""

import json
import os
import sys

# What is asked below comes before there is a user who might ask.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
ask = {"endpoint_url": endpoint, "region_name": "us-east-1"}
keys = {"aws_access_key_id": "first", "aws_secret_access_key": "first"}
iam = boto3.client("iam", **ask, **keys)
iam.create_user(UserName="reports")
key = iam.create_access_key(UserName="reports")["AccessKey"]
policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"]}],
}
iam.put_user_policy(UserName="reports", PolicyName="p", PolicyDocument=json.dumps(policy))
boto3.client("s3", **ask, **keys).create_bucket(Bucket="shop")
print(json.dumps({"endpoint": endpoint, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
server.stop()
