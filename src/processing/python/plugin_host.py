"""Runs Python plugins of influxdb3, in a process of its own.

Frames go over file descriptor 3 in both directions: a header (`<IBBHII`: body length, type, flags, 0, id, JSON length), JSON,
zeros up to a multiple of 8, bytes. Nothing goes over file descriptor 4: that it is closed means that the server is gone. Needs nothing but the standard library, from Python 3.9 on.
"""

import sys

if sys.version_info < (3, 9):
    sys.stderr.write("plugins need Python 3.9 or newer, this is %s\n" % sys.version.split()[0])
    sys.exit(3)

import array
import builtins
import json
import os
import queue
import socket
import struct
import threading
import time

VERSION = 3
HEADER = struct.Struct("<IBBHII")
READY, CALL, CANCEL, REFUSE, SHUTDOWN = 1, 2, 3, 4, 5
LOG, QUERY, ROWS, WRITE, ANSWER, SHARED, QUEUED, PIECE, DONE, FAIL = 10, 11, 12, 13, 14, 15, 17, 18, 20, 21
QUEUED_BYTES = 1 << 20
# longer answers go ahead of the end of their call, in pieces
PIECE_BYTES = 1 << 20
TEST_TTL = 1800.0
# shorter than the time from the wish to end to SIGTERM (python-process.ts)
LAST_WORDS_SECS = 0.4
ABORTED = "influxdb3 is shutting down; aborting plugin execution"

ENTRIES = {
    "wal": ("process_writes", "process_writes(influxdb3_local, table_batches, args=None)"),
    "schedule": ("process_scheduled_call", "process_scheduled_call(influxdb3_local, call_time, args=None)"),
    "request": (
        "process_request",
        "process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None)"
        " -> Tuple[str, Optional[Dict[str, str]]]",
    ),
}


class InfluxDBError(Exception):
    """Base of what `LineBuilder` refuses."""


class InvalidMeasurementError(InfluxDBError):
    """A measurement name that line protocol cannot have."""


class InvalidKeyError(InfluxDBError):
    """A tag or field key that line protocol cannot have."""


class InvalidLineError(InfluxDBError):
    """A line without fields."""


class LineBuilder:
    """Builds one line of line protocol."""

    def __init__(self, measurement):
        if " " in measurement:
            raise InvalidMeasurementError("Measurement name cannot contain spaces")
        self.measurement = measurement
        self.tags = {}
        self.fields = {}
        self._timestamp_ns = None

    def _check(self, key, what):
        if not key:
            raise InvalidKeyError(what + " key cannot be empty")
        for char, name in ((" ", "spaces"), (",", "commas"), ("=", "equals signs")):
            if char in key:
                raise InvalidKeyError("%s key '%s' cannot contain %s" % (what, key, name))

    def tag(self, key, value):
        self._check(key, "tag")
        self.tags[key] = str(value)
        return self

    def int64_field(self, key, value):
        self._check(key, "field")
        self.fields[key] = "%si" % (value,)
        return self

    def uint64_field(self, key, value):
        self._check(key, "field")
        if value < 0:
            raise ValueError("uint64 field '%s' cannot be negative" % key)
        self.fields[key] = "%su" % (value,)
        return self

    def float64_field(self, key, value):
        self._check(key, "field")
        self.fields[key] = "%d.0" % int(value) if value % 1 == 0 else str(value)
        return self

    def string_field(self, key, value):
        self._check(key, "field")
        self.fields[key] = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return self

    def bool_field(self, key, value):
        self._check(key, "field")
        self.fields[key] = "t" if value else "f"
        return self

    def time_ns(self, timestamp_ns):
        self._timestamp_ns = timestamp_ns
        return self

    def build(self):
        line = self.measurement.replace(",", "\\,").replace(" ", "\\ ")
        for key, value in self.tags.items():
            for char in "\\,= ":
                value = value.replace(char, "\\" + char)
            line += "," + key + "=" + value
        if not self.fields:
            raise InvalidLineError("At least one field is required: " + line)
        line += " " + ",".join(key.replace("\\", "\\\\") + "=" + value for key, value in self.fields.items())
        if self._timestamp_ns is not None:
            line += " " + str(self._timestamp_ns)
        return line


class QueryError(Exception):
    """A query that the server refused."""


class Failure(Exception):
    """A call that failed without an exception of the plugin; the text is what is told."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind
        self.text = text


class Channel:
    """The socket to the server. Any thread sends, one reads."""

    def __init__(self, sock):
        self.sock = sock
        self.lock = threading.Lock()

    def send(self, kind, ident, head, data=b""):
        text = json.dumps(head).encode()
        size = len(text)
        text += b"\0" * (-size % 8)
        header = HEADER.pack(len(text) + len(data), kind, 0, 0, ident, size)
        with self.lock:
            self.sock.sendall(header + text)
            if data:
                self.sock.sendall(data)

    def read(self):
        header = self._exactly(HEADER.size)
        size, kind, _, _, ident, json_size = HEADER.unpack(header)
        body = self._exactly(size)
        head = json.loads(bytes(body[:json_size]))
        return kind, ident, head, body[json_size + (-json_size % 8) :]

    def _exactly(self, size):
        body = bytearray(size)
        view = memoryview(body)
        at = 0
        while at < size:
            count = self.sock.recv_into(view[at:])
            if count == 0:
                raise EOFError
            at += count
        return view


class Blocks:
    """Reads blocks of columns (src/processing/calls/blocks.ts)."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def bytes(self, size):
        start = self.at
        self.at += size + (-size % 8)
        return self.data[start : start + size]

    def numbers(self, code, count):
        values = array.array(code)
        values.frombytes(self.bytes(count * values.itemsize))
        if sys.byteorder != "little":
            values.byteswap()
        return values.tolist()

    def column(self, column, rows):
        """Values of a column with None where there is nothing, and the rows in which there is nothing."""
        missing = []
        if column["valid"]:
            bits = int.from_bytes(self.bytes((rows + 7) >> 3), "little")
            missing = missing_of(bits, rows)
        values = self.values(column, rows)
        for row in missing:
            values[row] = None
        if column["type"] in ("dict", "int"):
            missing = [row for row, value in enumerate(values) if value is None]
        return values, missing

    def values(self, column, rows):
        kind = column["type"]
        if kind == "f64":
            return self.numbers("d", rows)
        if kind in ("i64", "time"):
            return self.numbers("q", rows)
        if kind == "u64":
            return self.numbers("Q", rows)
        if kind == "bool":
            return [byte == 1 for byte in self.bytes(rows)]
        if kind == "str":
            ends = self.numbers("I", rows + 1)
            raw = bytes(self.bytes(ends[rows]))
            if raw.isascii():
                text = raw.decode()
                return [text[start:end] for start, end in zip(ends, ends[1:])]
            return [raw[start:end].decode() for start, end in zip(ends, ends[1:])]
        if kind in ("dict", "int"):
            texts = column["texts"]
            if kind == "int":
                texts = [int(text) for text in texts]
            return [None if code < 0 else texts[code] for code in self.numbers("i", rows)]
        return [None] * rows


def missing_of(bits, rows):
    """Positions of zero bits."""
    text = bin(bits | 1 << rows)[3:][::-1]
    return [row for row, bit in enumerate(text) if bit == "0"]


class SeriesMemory:
    """Tags of the series that came so far, by table and number."""

    def __init__(self):
        self.tables = {}

    def read(self, wal, blocks):
        if wal["forget"]:
            self.tables.clear()
        table = self.tables.setdefault(wal["seriesKey"], {})
        raw = bytes(blocks.bytes(wal["definitionBytes"]))
        names = wal["tags"]
        at = 0
        for _ in range(wal["definitions"]):
            ident, size = struct.unpack_from("<II", raw, at)
            at += 8
            end = at + size
            tags = {}
            while at < end:
                column, length = struct.unpack_from("<HI", raw, at)
                at += 6
                tags[names[str(column)]] = raw[at : at + length].decode()
                at += length
            table[ident] = tags
        return table


_builders = {}


def row_builder(names):
    """A function that makes row dicts of tags, columns and times; one for each list of names."""
    builder = _builders.get(names)
    if builder is None:
        if len(_builders) > 1000:
            _builders.clear()
        variables = ["v%d" % at for at in range(len(names))]
        members = "".join("%r: %s, " % (name, variable) for name, variable in zip(names, variables))
        targets = ", ".join(["tags"] + variables + ["time"])
        source = "lambda *columns: [{**tags, %s'time': time} for %s in zip(*columns)]" % (members, targets)
        builder = eval(source, {"zip": zip})
        _builders[names] = builder
    return builder


def table_batches(heads, data, memory):
    blocks = Blocks(data)
    batches = {}
    for head in heads:
        rows = head["rows"]
        table = memory.read(head["wal"], blocks)
        idents = blocks.numbers("i", rows)
        times = blocks.numbers("q", rows)
        tags = [table[ident] for ident in idents]
        columns = []
        absent = []
        for column in head["columns"]:
            values, missing = blocks.column(column, rows)
            columns.append(values)
            if missing:
                absent.append((column["name"], missing))
        made = row_builder(tuple(column["name"] for column in head["columns"]))(tags, *columns, times)
        for name, missing in absent:
            for row in missing:
                del made[row][name]
        batch = batches.setdefault(head["wal"]["table"], [])
        batch.extend(made)
    return [{"table_name": name, "rows": rows} for name, rows in batches.items()]


def query_rows(heads, data, rows):
    """Adds the rows of some blocks."""
    blocks = Blocks(data)
    for head in heads:
        columns = [blocks.column(column, head["rows"])[0] for column in head["columns"]]
        names = [column["name"] for column in head["columns"]]
        rows.extend(dict(zip(names, values)) for values in zip(*columns))


class LocalCache:
    """Values by reference, one dict for each name."""

    def __init__(self):
        self.lock = threading.Lock()
        self.names = {}
        self.swept = time.time()

    def sweep(self):
        now = time.time()
        if now - self.swept < 10:
            return
        with self.lock:
            self.swept = now
            for values in self.names.values():
                for key in [key for key, (_, expires) in values.items() if expires is not None and expires <= now]:
                    del values[key]

    def put(self, name, key, value, ttl):
        with self.lock:
            self.names.setdefault(name, {})[key] = (value, None if ttl is None else time.time() + ttl)

    def get(self, name, key, default):
        with self.lock:
            value, expires = self.names.get(name, {}).get(key, (default, None))
        return default if expires is not None and expires <= time.time() else value

    def delete(self, name, key):
        with self.lock:
            return self.names.get(name, {}).pop(key, None) is not None


def time_to_live(ttl):
    if ttl is None:
        return None
    ttl = float(ttl)
    if ttl < 0:
        raise ValueError("cannot convert float seconds to Duration: value is negative")
    if not ttl < 1.8446744073709552e19:
        raise ValueError("cannot convert float seconds to Duration: value is either too big or NaN")
    return ttl


def make_cache(call):
    host = call.host
    name = call.cache_name

    class Cache:
        """Values kept from one call to the next."""

        __slots__ = ()

        def put(self, key, value, ttl=None, use_global=None):
            ttl = time_to_live(ttl)
            if name and ttl is None:
                ttl = TEST_TTL
            if not use_global:
                host.cache.put(name, key, value, ttl)
            elif name:
                host.cache.put("global " + name, key, value, ttl)
            else:
                host.shared_put(call, key, value, ttl)

        def get(self, key, default=None, use_global=None):
            if not use_global:
                return host.cache.get(name, key, default)
            if name:
                return host.cache.get("global " + name, key, default)
            return host.shared_get(call, key, default)

        def delete(self, key, use_global=None):
            if not use_global:
                return host.cache.delete(name, key)
            if name:
                return host.cache.delete("global " + name, key)
            return host.shared_delete(call, key)

    return Cache()


def make_local(call):
    """The object that plugins know as `influxdb3_local`."""
    cache = []

    def log(level, parts):
        call.check()
        call.host.channel.send(LOG, call.ident, {"level": level, "text": " ".join(str(part) for part in parts)})

    class InfluxDB3Local:
        """What a plugin can do while it is called."""

        __slots__ = ()

        def info(self, *args):
            log("INFO", args)

        def warn(self, *args):
            log("WARN", args)

        def error(self, *args):
            log("ERROR", args)

        def write(self, line_builder):
            call.queue(call.database, line_builder.build())

        def write_to_db(self, db_name, line_builder):
            call.queue(db_name, line_builder.build())

        def write_sync(self, line_builder, no_sync):
            call.write(call.database, line_builder.build(), no_sync)

        def write_sync_to_db(self, db_name, line_builder, no_sync):
            call.write(db_name, line_builder.build(), no_sync)

        def query(self, query, args=None, database=None):
            return call.query(query, args, call.database if database is None else database)

        @property
        def cache(self):
            call.host.cache.sweep()
            if not cache:
                cache.append(make_cache(call))
            return cache[0]

    return InfluxDB3Local()


def parameter(name, value):
    if value is None:
        return {"k": "null"}
    if isinstance(value, bool):
        return {"k": "bool", "v": value}
    if isinstance(value, int):
        return {"k": "int", "v": str(value)}
    if isinstance(value, float):
        return {"k": "float", "v": repr(value)}
    if isinstance(value, str):
        return {"k": "str", "v": value}
    raise TypeError("parameter '%s' must be str, int, float, bool or None, not %s" % (name, type(value).__name__))


class Call:
    """One call of a plugin and what it asks of the server."""

    def __init__(self, host, ident, head, data):
        self.host = host
        self.ident = ident
        self.head = head
        self.data = data
        self.database = head["database"]
        self.cache_name = head["cacheName"]
        self.aborted = False
        # what the plugin asks for raises, but its answer may still go to the client
        self.refused = False
        self.thread = None
        self.queued = {}
        self.queued_bytes = 0

    def check(self, kind=None):
        if self.aborted or (self.refused and kind != PIECE):
            raise KeyboardInterrupt(ABORTED)

    def queue(self, database, lines):
        self.check()
        if not isinstance(lines, str):
            raise TypeError("build() must return str, not %s" % type(lines).__name__)
        self.queued.setdefault(database, []).append(lines)
        self.queued_bytes += len(lines)
        if self.queued_bytes > QUEUED_BYTES:
            self.flush()

    def flush(self):
        for database, lines in self.queued.items():
            # each text by itself: dry runs show what each build() made
            sizes = []
            parts = []
            for text in lines:
                raw = text.encode("utf-8", "surrogatepass")
                sizes.append(len(raw))
                parts.append(raw)
            self.host.channel.send(QUEUED, self.ident, {"database": database, "sizes": sizes}, b"".join(parts))
        self.queued = {}
        self.queued_bytes = 0

    def write(self, database, lines, no_sync):
        head = {"database": database, "noSync": bool(no_sync)}
        answer, _ = self.ask(WRITE, head, lines.encode("utf-8", "surrogatepass"))
        if "error" in answer:
            raise Exception(answer["error"])

    def query(self, query, args, database):
        params = {}
        for name, value in (args or {}).items():
            if not isinstance(name, str):
                raise TypeError("names of parameters must be str")
            params[name] = parameter(name, value)
        rows = []
        answer, _ = self.ask(QUERY, {"database": database, "sql": str(query), "params": params}, b"", rows)
        if "error" in answer:
            raise (ValueError if answer.get("name") == "ValueError" else QueryError)(answer["error"])
        return rows

    def ask(self, kind, head, data=b"", rows=None):
        self.check(kind)
        question, answers = self.host.question(self, kind)
        head["question"] = question
        try:
            self.host.channel.send(kind, self.ident, head, data)
            while True:
                what, answer, data = answers.get()
                self.check(kind)
                if what == ANSWER:
                    return answer, data
                query_rows(answer["heads"], data, rows)
        finally:
            self.host.questions.pop(question, None)


class Plugin:
    """Code of one plugin, single file or package."""

    def __init__(self):
        self.version = None
        self.compiled = None
        self.module = None
        self.module_name = None
        self.lock = threading.Lock()

    def entry(self, head, name):
        if head["isDirectory"]:
            return self._of_package(head, name)
        # the whole text runs again for each call
        with self.lock:
            if self.version != head["version"]:
                self.compiled = compile(head["source"], "<string>", "exec")
                self.version = head["version"]
            compiled = self.compiled
        names = {"__builtins__": builtins}
        exec(compiled, names)
        return names.get(name, getattr(builtins, name, None))

    def _of_package(self, head, name):
        with self.lock:
            if self.version != head["version"]:
                self._import(head)
        return getattr(self.module, name, None)

    def _import(self, head):
        import importlib

        path = head["path"]
        package = os.path.basename(path)
        for known in [known for known in sys.modules if known == package or known.startswith(package + ".")]:
            del sys.modules[known]
        parent = os.path.dirname(path)
        sys.path.insert(0, parent)
        try:
            importlib.invalidate_caches()
            self.module = importlib.import_module(package)
        except BaseException as error:
            text = "Failed to import plugin module '%s': %s\nHint: Check for syntax errors or missing dependencies in Python files."
            raise Failure("import", text % (package, error_text(error))) from error
        finally:
            if parent in sys.path:
                sys.path.remove(parent)
        self.version = head["version"]


def error_text(error):
    try:
        text = str(error)
    except BaseException:
        text = "<exception str() failed>"
    return "%s: %s" % (type(error).__qualname__, text)


def body_part(body):
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass"), "text/html"
    if isinstance(body, (dict, list)):
        try:
            return json.dumps(body).encode(), "application/json"
        except BaseException as error:
            raise Failure("response", error_text(error)) from error
    return str(body).encode("utf-8", "surrogatepass"), "text/plain"


def response_of(returned):
    """Status, headers and body that a returned value means; a body is bytes, or an iterator of bytes."""
    flask = getattr(returned, "__flask_response__", None)
    if callable(flask) and flask() is True:
        headers = [[str(name), str(value)] for name, value in dict(returned.headers).items()]
        return checked_status(int(returned.status_code)), headers, returned.get_data().encode()
    if isinstance(returned, tuple) and 1 <= len(returned) <= 3:
        body, kind = body_part(returned[0])
        status = 200
        headers = {"Content-Type": kind}
        for at, item in enumerate(returned[1:], 1):
            if isinstance(item, dict):
                for name, value in item.items():
                    for known in [known for known in headers if known.lower() == str(name).lower()]:
                        del headers[known]
                    headers[str(name)] = str(value)
            elif at == 2:
                raise Failure("response", "expected a dictionary in header item")
            elif isinstance(item, int):
                status = checked_status(int(item))
        return status, [[name, value] for name, value in headers.items()], body
    if isinstance(returned, (str, dict, list)):
        body, kind = body_part(returned)
        return 200, [["Content-Type", kind]], body
    if hasattr(returned, "__iter__"):
        return 200, [["Content-Type", "text/html"]], encoded_items(returned)
    raise Failure("response", "Unsupported return type from Python function")


def encoded_items(items):
    try:
        for item in items:
            if isinstance(item, str):
                yield item.encode("utf-8", "surrogatepass")
            elif isinstance(item, bytes):
                yield item.decode("utf-8", "replace").encode()
    except GeneratorExit:
        close = getattr(items, "close", None)
        if close is not None:
            close()
        raise


def deliver(call, status, headers, body):
    """Sends a long answer in pieces; what is left is the head and the body that go along with the end of the call."""
    length = None
    parts = body
    if isinstance(body, bytes):
        length = len(body)
        parts = (body,)
    head = {"status": status, "headers": headers, "length": length}
    held = []
    size = 0
    begun = False
    for part in parts:
        held.append(part)
        size += len(part)
        if size <= PIECE_BYTES:
            continue
        begun = True
        if not send_pieces(call, head, b"".join(held)):
            # nobody reads the rest; a generator ends now, while it can still ask and log
            if parts is body:
                parts.close()
            return {}, b""
        held = []
        size = 0
    rest = b"".join(held)
    if not begun:
        return head, rest
    send_pieces(call, head, rest)
    return {}, b""


def send_pieces(call, head, body):
    """False = nobody wants more."""
    view = memoryview(body)
    for at in range(0, len(body), PIECE_BYTES):
        answer, _ = call.ask(PIECE, dict(head), view[at : at + PIECE_BYTES])
        if not answer.get("more"):
            return False
    return True


def checked_status(status):
    # after a status below 200 clients wait for the answer itself
    if not 200 <= status <= 999:
        raise Failure("response", "invalid status code %d" % status)
    return status


class Host:
    """Calls plugins as the server says."""

    def __init__(self, channel):
        self.channel = channel
        self.cache = LocalCache()
        self.memory = SeriesMemory()
        self.plugins = {}
        self.calls = {}
        self.questions = {}
        self.next_question = 0
        self.lock = threading.Lock()
        self.idle = []

    def serve(self):
        self.channel.send(READY, 0, {"version": VERSION, "python": sys.version.split()[0], "pid": os.getpid()})
        while True:
            kind, ident, head, data = self.channel.read()
            if kind == CALL:
                self.start(ident, head, data)
            elif kind in (ANSWER, ROWS):
                asked = self.questions.get(head["question"])
                if asked is not None:
                    asked[1].put((kind, head, data))
            elif kind == CANCEL:
                self.cancel(ident)
            elif kind == REFUSE:
                self.refuse(ident)
            elif kind == SHUTDOWN:
                self.wait_for_calls()
                return

    def wait_for_calls(self):
        """Calls that were cancelled may clean up."""
        end = time.monotonic() + LAST_WORDS_SECS
        while self.calls and time.monotonic() < end:
            time.sleep(0.005)

    def start(self, ident, head, data):
        call = Call(self, ident, head, data)
        if head["kind"] == "wal":
            # in the order of arrival: later rows refer to the series of earlier ones
            try:
                call.batches = table_batches(head["heads"], data, self.memory)
            except BaseException as error:
                self.channel.send(FAIL, ident, {"kind": "exception", "text": error_text(error), "trace": None})
                return
            call.data = None
        self.calls[ident] = call
        with self.lock:
            jobs = self.idle.pop() if self.idle else None
        if jobs is None:
            jobs = queue.SimpleQueue()
            threading.Thread(target=self.work, args=(jobs,), daemon=True).start()
        jobs.put(call)

    def work(self, jobs):
        while True:
            self.run(jobs.get())
            with self.lock:
                self.idle.append(jobs)

    def run(self, call):
        call.thread = threading.get_ident()
        ended = None
        try:
            response = self.invoke(call)
            head, body = ({}, b"") if response is None else deliver(call, *response)
            call.flush()
            ended = (DONE, head, body)
        except Failure as failure:
            ended = (FAIL, {"kind": failure.kind, "text": failure.text, "trace": trace_of(failure)}, b"")
        except BaseException as error:
            ended = (FAIL, {"kind": "exception", "text": error_text(error), "trace": trace_of(error)}, b"")
        self.shield(call)
        try:
            self.channel.send(ended[0], call.ident, ended[1], ended[2])
        except (OSError, UnicodeError, ValueError) as error:
            sys.stderr.write("the end of a call could not be told: %s\n" % error_text(error))
            os._exit(4)
        self.calls.pop(call.ident, None)

    def shield(self, call):
        """No interrupt reaches the thread of the call any more, not even one that is on its way."""
        while True:
            try:
                with self.lock:
                    call.thread = None
                if call.aborted:
                    interrupt(threading.get_ident(), None)
                return
            except KeyboardInterrupt:
                pass

    def invoke(self, call):
        head = call.head
        kind = head["kind"]
        name, shape = ENTRIES[kind]
        plugin = self.plugins.setdefault(head["plugin"], Plugin())
        entry = plugin.entry(head, name)
        if entry is None:
            raise Failure("entry", "the %s function is not present in the plugin. Should be defined as: %s" % (name, shape))
        local = make_local(call)
        args = head["args"]
        if kind == "wal":
            batches = call.batches
            call.batches = None
            entry(local, batches, args)
            return None
        if kind == "schedule":
            import datetime

            entry(local, datetime.datetime.fromtimestamp(head["timeMs"] // 1000), args)
            return None
        try:
            returned = entry(local, head["query"], head["headers"], bytes(call.data), args)
        except BaseException as error:
            raise Failure("exception", "Python function call failed: " + error_text(error)) from error
        return response_of(returned)

    def question(self, call, kind):
        answers = queue.SimpleQueue()
        with self.lock:
            number = self.next_question
            self.next_question += 1
            self.questions[number] = (call, answers, kind)
        return number, answers

    def shared_put(self, call, key, value, ttl):
        import pickle

        try:
            data = pickle.dumps(value)
        except Exception as error:
            text = "cache: the value of '%s' cannot be shared between processes and stays in this one: %s"
            self.channel.send(LOG, call.ident, {"level": "WARN", "text": text % (key, error_text(error))})
            self.cache.put("global", key, value, ttl)
            return
        self.cache.delete("global", key)
        answer, _ = call.ask(SHARED, {"op": "put", "key": key, "ttlMs": None if ttl is None else ttl * 1000}, data)
        if "error" in answer:
            raise Exception(answer["error"])

    def shared_get(self, call, key, default):
        missing = object()
        own = self.cache.get("global", key, missing)
        if own is not missing:
            return own
        answer, data = call.ask(SHARED, {"op": "get", "key": key})
        if not answer.get("found"):
            return default
        import pickle

        return pickle.loads(data)

    def shared_delete(self, call, key):
        own = self.cache.delete("global", key)
        answer, _ = call.ask(SHARED, {"op": "delete", "key": key})
        return own or bool(answer.get("found"))

    def refuse(self, ident):
        call = self.calls.get(ident)
        if call is None:
            return
        call.refused = True
        for asker, answers, kind in list(self.questions.values()):
            if asker is call and kind != PIECE:
                answers.put((ANSWER, {"error": ABORTED}, b""))

    def cancel(self, ident):
        call = self.calls.get(ident)
        if call is None:
            return
        call.aborted = True
        waiting = [answers for asker, answers, _ in list(self.questions.values()) if asker is call]
        for answers in waiting:
            answers.put((ANSWER, {"error": ABORTED}, b""))
        with self.lock:
            if call.thread is not None and not waiting:
                interrupt(call.thread, KeyboardInterrupt)


def interrupt(thread, exception):
    """Raises in another thread, at its next step; without an exception takes back what was not raised yet."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None if exception is None else ctypes.py_object(exception))


def trace_of(error):
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))[-65536:]


def limit_memory(size):
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def die_with_server():
    """
    Lets the kernel kill the process group when the server is gone, even while a plugin computes in C and no thread here can run.
    Where there is no such signal (other systems than Linux), the end of file that `serve` reads has to do.
    """
    import fcntl

    if not hasattr(fcntl, "F_SETSIG"):
        return
    import signal

    fcntl.fcntl(4, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(4, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(4, fcntl.F_SETFL, fcntl.fcntl(4, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    try:
        os.read(4, 1)
    except BlockingIOError:
        return
    os._exit(0)  # it had gone before


def main():
    # a plugin's children must not hold the sockets, nor find this file
    os.set_inheritable(3, False)
    os.set_inheritable(4, False)
    try:
        die_with_server()
    except OSError as error:
        sys.stderr.write("a plugin that computes may outlive a killed server: %s\n" % error_text(error))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != os.path.dirname(os.path.abspath(__file__))]
    sys.dont_write_bytecode = True
    if len(sys.argv) > 1 and sys.argv[1] != "0":
        limit_memory(int(sys.argv[1]))
    sock = socket.socket(fileno=3)
    sock.setblocking(True)
    host = Host(Channel(sock))
    builtins.LineBuilder = LineBuilder
    # what plugins see as `__main__`; this one stays alive through the functions that run
    shown = type(sys)("__main__")
    for known in (LineBuilder, InfluxDBError, InvalidMeasurementError, InvalidKeyError, InvalidLineError):
        setattr(shown, known.__name__, known)
    keep = sys.modules["__main__"]
    sys.modules["__main__"] = shown
    try:
        host.serve()
    except EOFError:
        pass  # the server is gone
    except BaseException as error:
        sys.stderr.write("the plugin host failed: %s\n" % trace_of(error))
    # also ends what the plugin started
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        os.killpg(0, signal.SIGKILL)
    finally:
        del keep
        os._exit(0)


if __name__ == "__main__":
    main()
