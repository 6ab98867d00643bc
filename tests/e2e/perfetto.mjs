// usage: node perfetto.mjs FOLDER TRACE SQL
//
// Opens a trace in Perfetto's trace processor and prints what a query says of it, a row a line, its
// columns parted by tabs; what the processor finds wrong in the trace ends it with status 1. FOLDER
// holds the engine of Perfetto's page as it is served: engine_bundle.js, a web worker, and
// trace_processor.wasm. The worker is spoken to as the page does: protobuf messages of
// protos/perfetto/trace_processor/trace_processor.proto (TraceProcessorRpcStream) through a port.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import vm from "node:vm";

const [folder, trace, sql] = process.argv.slice(2);

const APPEND = 1, FINALIZE = 2, QUERY = 3; // TraceProcessorRpc.TraceProcessorMethod
const NULL = 1, VARINT = 2, FLOAT = 3, STRING = 4; // QueryResult.CellsBatch.CellType

// ---- protobuf ------------------------------------------------------------------------------

function varint(n) {
	const bytes = [];
	for (; n > 0x7f; n = Math.floor(n / 128))
		bytes.push((n % 128) | 0x80);
	return Buffer.from([...bytes, n]);
}

const number = (field, n) => Buffer.concat([varint(field * 8), varint(n)]);
const bytes = (field, body) => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);

function takeVarint(buf, at) {
	let n = 0n;
	for (let shift = 0n; ; shift += 7n) {
		const byte = buf[at++];
		n |= BigInt(byte & 0x7f) << shift;
		if (byte < 0x80)
			return [BigInt.asIntN(64, n), at];
	}
}

// Fields of a message: [number, value], a value being a BigInt or bytes.
function* fields(buf) {
	for (let at = 0; at < buf.length; ) {
		let key, value;
		[key, at] = takeVarint(buf, at);
		const kind = Number(key & 7n);
		if (kind === 0) {
			[value, at] = takeVarint(buf, at);
		} else if (kind === 2) {
			[value, at] = takeVarint(buf, at);
			value = buf.subarray(at, (at += Number(value)));
		} else {
			value = buf.subarray(at, (at += kind === 1 ? 8 : 4));
		}
		yield [Number(key >> 3n), value];
	}
}

const field = (buf, wanted) => [...fields(buf)].filter(([n]) => n === wanted).map(([, v]) => v);

// ---- the worker ----------------------------------------------------------------------------

// The file that the worker fetches.
class Request {
	open(method, url) {
		this.path = join(folder, basename(url));
	}
	send() {
		this.response = new Uint8Array(readFileSync(this.path)).buffer;
	}
}

// A port to Perfetto's worker, which thinks that it is in a browser.
async function startWorker() {
	const port = { onmessage: null, replies: [], Bytes: null };
	const self = {
		location: { href: "https://localhost/engine_bundle.js" },
		addEventListener() {},
	};
	const quiet = { log() {}, warn() {}, error: console.error };
	const context = vm.createContext({
		self, console: quiet, TextDecoder, TextEncoder, URL, setTimeout, clearTimeout, performance,
		crypto: globalThis.crypto, location: self.location, WorkerGlobalScope: class {},
		XMLHttpRequest: Request,
	});
	port.postMessage = (message) => port.replies.push(Buffer.from(message));
	vm.runInContext(readFileSync(join(folder, "engine_bundle.js"), "utf8"), context);
	port.Bytes = vm.runInContext("Uint8Array", context); // it takes those of its own world alone
	self.onmessage({ data: port });
	await new Promise((done) => setImmediate(done)); // its promises are kept by then
	return port;
}

let seq = 0;

// One request; the messages that answer it.
function ask(port, method, ...args) {
	const rpc = Buffer.concat([number(1, seq++), number(2, method), ...args]);

	port.onmessage({ data: new port.Bytes(bytes(1, rpc)) });
	const replies = port.replies.splice(0).flatMap((reply) => field(reply, 1));
	for (const reply of replies)
		for (const fault of field(reply, 5))
			throw new Error(fault.toString());
	return replies;
}

function refuse(result, errorField) {
	for (const fault of field(result, errorField))
		throw new Error(fault.toString());
}

function* rows(replies) {
	let names = [];
	for (const result of replies.flatMap((reply) => field(reply, 203))) {
		refuse(result, 2);
		names = names.concat(field(result, 1).map(String));
		for (const batch of field(result, 3)) {
			const cells = field(batch, 1).flatMap((packed) => [...packed]);
			const numbers = field(batch, 2).flatMap((packed) => {
				const list = [];
				for (let at = 0, n; at < packed.length; list.push(n))
					[n, at] = takeVarint(packed, at);
				return list;
			});
			const floats = field(batch, 3).flatMap((packed) =>
				Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(i * 8)));
			const texts = field(batch, 5).flatMap((text) => text.toString().split("\0"));
			const values = cells.map((kind) =>
				kind === NULL ? "NULL" : kind === VARINT ? numbers.shift() :
				kind === FLOAT ? floats.shift() : kind === STRING ? texts.shift() : "?");
			for (let i = 0; i < values.length; i += names.length)
				yield values.slice(i, i + names.length);
		}
	}
}

try {
	const port = await startWorker();

	for (const reply of ask(port, APPEND, bytes(101, readFileSync(trace))))
		field(reply, 201).forEach((result) => refuse(result, 2));
	for (const reply of ask(port, FINALIZE))
		field(reply, 209).forEach((result) => refuse(result, 1));
	for (const row of rows(ask(port, QUERY, bytes(103, bytes(1, Buffer.from(sql))))))
		console.log(row.join("\t"));
} catch (e) {
	console.error(`perfetto: ${trace}: ${e.message}`);
	process.exit(1);
}
