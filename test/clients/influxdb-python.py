"""Uses the published client as its users do. Prints ok, or fails with the first difference."""

import sys

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

host, port, token = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def client(**options):
    return InfluxDBClient(host, port, "any", token, "python", **options)


def same(got, expected):
    assert got == expected, "got %r, expected %r" % (got, expected)


def refused(call, part):
    try:
        call()
    except InfluxDBClientError as error:
        assert part in str(error), str(error)
        return
    raise AssertionError("not refused: " + part)


influx = client()
influx.create_database("python")
influx.create_database("other")
influx.create_retention_policy("week", "1w", 1, database="other")
same([policy["name"] for policy in influx.get_list_retention_policies("other")], ["autogen", "week"])
influx.alter_retention_policy("week", database="other", duration="2w")
influx.drop_retention_policy("week", database="other")
influx.drop_database("other")
assert {"name": "other"} not in influx.get_list_database()
assert influx.ping().startswith("3.")
points = [
    {"measurement": "cpu", "tags": {"host": host_}, "time": second, "fields": {"usage": usage, "n": 2**53 + 1, "note": "\u00e4"}}
    for second, (host_, usage) in enumerate([("a", 1.5), ("a", 2.0), ("b", 3.5)])
]
assert influx.write_points(points, time_precision="s")
assert client(gzip=True).write_points(points, time_precision="s", batch_size=2, tags={"site": "x"}, consistency="one")
assert influx.write(["mem free=1i 1000"], {"db": "python", "precision": "ms"}, protocol="line")

result = influx.query("SELECT usage, n, note FROM cpu WHERE site = ''", epoch="s")
same(
    list(result.get_points()),
    [
        {"time": 0, "usage": 1.5, "n": 2**53 + 1, "note": "\u00e4"},
        {"time": 1, "usage": 2.0, "n": 2**53 + 1, "note": "\u00e4"},
        {"time": 2, "usage": 3.5, "n": 2**53 + 1, "note": "\u00e4"},
    ],
)
same([point["time"] for point in influx.query("SELECT usage FROM cpu WHERE site = ''").get_points()][:1], ["1970-01-01T00:00:00Z"])
grouped = influx.query("SELECT mean(usage) FROM cpu GROUP BY host")
same([point["mean"] for point in grouped.get_points(tags={"host": "a"})], [1.75])
bound = influx.query("SELECT usage FROM cpu WHERE host = $h AND site = ''", bind_params={"h": "b"})
same([point["usage"] for point in bound.get_points()], [3.5])
several = influx.query("SELECT count(usage) FROM cpu; SHOW MEASUREMENTS", method="POST")
same([list(each.get_points()) for each in several][1], [{"name": "cpu"}, {"name": "mem"}])
same(list(influx.query("SELECT usage FROM nothing").get_points()), [])

# With MessagePack the client reads one chunk only, whatever the server is.
lines = client(headers={"Accept": "application/json", "Content-Type": "application/json"})
chunks = list(lines.query("SELECT usage FROM cpu", chunked=True, chunk_size=2))
same([len(list(chunk.get_points())) for chunk in chunks], [2, 2, 2])

same(influx.get_list_database(), [{"name": "python"}])
same(influx.get_list_measurements(), [{"name": "cpu"}, {"name": "mem"}])
refused(lambda: influx.query("SELECT nope("), '{"error":"error parsing query: ')
refused(lambda: influx.query("SELECT usage FROM cpu", database="nope"), "database not found: nope")
refused(lambda: influx.query("SELECT nope(usage) FROM cpu"), "nope")
refused(lambda: influx.write(["cpu usage=1 1", "cpu usage="], {"db": "python"}, protocol="line"), "partial write: unable to parse")
refused(lambda: influx.write_points([{"measurement": "cpu", "fields": {"usage": "text"}}]), "field type conflict")
refused(lambda: InfluxDBClient(host, port, "any", "wrong", "python").query("SHOW DATABASES"), "not authenticated")
same([point["usage"] for point in influx.query("SELECT usage FROM cpu WHERE host = '' AND time = 1").get_points()], [1.0])
influx.delete_series(measurement="cpu", tags={"host": "b"})
same([point["usage"] for point in influx.query("SELECT usage FROM cpu WHERE host = 'b'").get_points()], [])
same(influx.get_list_series("python")[:2], ["cpu", "cpu,host=a"])
influx.drop_measurement("cpu")
same(influx.get_list_measurements(), [{"name": "mem"}])
same(influx.get_list_users(), [])
same([list(each.values()) for each in influx.get_list_continuous_queries()], [[[]]])
refused(lambda: influx.create_user("a", "b"), "users and grants are tokens here")
print("ok")
