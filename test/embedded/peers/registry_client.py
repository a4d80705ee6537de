"""Works with a schema registry as confluent-kafka's own client and serializers do.

Reads one job as JSON from standard input:
  empty: address of an empty registry, to try every call on
  registry, credentials: where orderctl registered its schema
  topic, value: of an order that orderctl wrote (Confluent wire format, base64)
Ends with an assertion where an answer is not what Confluent's registry would answer. Prints the order as it was read,
and the same order written again.
"""

import base64
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext


def record(*fields):
    return Schema(json.dumps({"type": "record", "name": "R", "fields": list(fields)}), "AVRO")


A = {"name": "a", "type": "int"}
B = {"name": "b", "type": "string", "default": ""}
FIRST = record(A)
SECOND = record(A, B)
OTHER = record({"name": "a", "type": "string"})


def refused(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except SchemaRegistryError as error:
        assert (error.error_code, error.http_status_code) == (code, status), error
        return error
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def check_versions(client):
    assert client.get_subjects() == []
    assert client.register_schema("s", FIRST) == 1
    assert client.register_schema("s", FIRST) == 1
    registered = client.register_schema_full_response("s", SECOND)
    assert registered.schema_id == 2
    assert client.get_subjects() == ["s"]
    assert client.get_subjects(subject_prefix="x") == []
    assert client.get_versions("s") == [1, 2]
    assert client.get_latest_version("s").version == 2
    version = client.get_version("s", 1)
    assert (version.schema_id, json.loads(version.schema.schema_str)) == (1, json.loads(FIRST.schema_str))
    assert client.lookup_schema("s", SECOND).version == 2
    assert client.get_schema_types() == ["AVRO"]
    assert json.loads(client.get_schema(2).schema_str) == json.loads(SECOND.schema_str)
    assert client.get_subjects_by_schema_id(2) == ["s"]
    assert [(v.subject, v.version) for v in client.get_schema_versions(2)] == [("s", 2)]
    refused(40401, 404, client.get_latest_version, "nix")
    refused(40402, 404, client.get_version, "s", 9)
    refused(40403, 404, client.get_schema, 99)
    refused(40403, 404, client.lookup_schema, "s", OTHER)
    refused(42201, 422, client.register_schema, "s", Schema('{"type":"record"}', "AVRO"))
    refused(42201, 422, client.register_schema, "s", Schema("{}", "JSON"))


def check_compatibility(client):
    assert client.get_compatibility() == "BACKWARD"
    refused(40408, 404, client.get_compatibility, "s")
    assert client.test_compatibility("s", SECOND)
    assert not client.test_compatibility("s", OTHER)
    assert not client.test_compatibility("s", OTHER, version=1, verbose=True)
    assert not client.test_compatibility_all_versions("s", OTHER)
    error = refused(409, 409, client.register_schema, "s", OTHER)
    assert "TYPE_MISMATCH" in error.error_message
    assert client.set_compatibility("s", "none") == {"compatibility": "NONE"}
    assert client.get_compatibility("s") == "NONE"
    assert client.register_schema("s", OTHER) == 3
    assert client.delete_config("s").compatibility_level == "NONE"
    client.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE))
    assert client.get_config().compatibility_level == "FULL_TRANSITIVE"
    client.delete_config()
    assert client.get_compatibility() == "BACKWARD"
    refused(42203, 422, client.set_compatibility, "s", "somehow")
    assert client.get_global_mode() == "READWRITE"


def check_references(client):
    money = Schema('{"type":"record","name":"Money","fields":[{"name":"cents","type":"long"}]}', "AVRO")
    client.register_schema("money", money)
    reference = SchemaReference("Money", "money", 1)
    price = Schema(
        '{"type":"record","name":"Price","fields":[{"name":"net","type":"Money"}]}', "AVRO", [reference]
    )
    schema_id = client.register_schema("price", price)
    assert client.get_schema(schema_id).references == [reference]
    assert client.get_referenced_by("money", 1) == [schema_id]
    refused(42206, 422, client.delete_version, "money", 1)
    context = SerializationContext("prices", MessageField.VALUE)
    value = AvroSerializer(client, price)({"net": {"cents": 5}}, context)
    assert AvroDeserializer(client)(value, context) == {"net": {"cents": 5}}


def check_deletion(client):
    assert client.delete_version("s", 1) == 1
    assert client.get_versions("s") == [2, 3]
    refused(40406, 404, client.delete_version, "s", 1)
    refused(40407, 404, client.delete_version, "s", 2, permanent=True)
    refused(40405, 404, client.delete_subject, "s", permanent=True)
    assert client.delete_subject("s") == [2, 3]
    refused(40404, 404, client.delete_subject, "s")
    assert "s" not in client.get_subjects()
    assert "s" in client.get_subjects(deleted=True)
    assert client.delete_subject("s", permanent=True) == [1, 2, 3]
    assert "s" not in client.get_subjects(deleted=True)


def main():
    job = json.load(sys.stdin)
    empty = SchemaRegistryClient({"url": job["empty"]})
    check_versions(empty)
    check_compatibility(empty)
    check_references(empty)
    check_deletion(empty)

    client = SchemaRegistryClient({"url": job["registry"], "basic.auth.user.info": job["credentials"]})
    context = SerializationContext(job["topic"], MessageField.VALUE)
    order = AvroDeserializer(client)(base64.b64decode(job["value"]), context)
    schema = client.get_latest_version(job["topic"] + "-value").schema
    # Laid out by hand: it is the same schema all the same.
    spaced = Schema(json.dumps(json.loads(schema.schema_str), indent=2), "AVRO")
    value = AvroSerializer(client, spaced)(order, context)
    print(json.dumps({"order": order, "value": base64.b64encode(value).decode()}, default=str))


main()
