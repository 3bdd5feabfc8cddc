/**
 * Topics are listed, described, written and read as they are in the log.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Effect, Fiber } from "effect"
import { services, temporaryFolder, transaction } from "../DataFixture.ts"
import { frazil, frazilJson } from "../RunFrazil.ts"

const dataOf = Effect.map(temporaryFolder, (folder) => join(folder, "data"))

describe("topics write", () => {
  it.live("appends lines byte for byte, keyed by the topic's contract, and makes what is missing", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      const lines = [transaction(1), ` ${transaction(2)} `, "", "not JSON \u00e9", transaction(11)]
      const text = lines.join("\n")
      // chunks that break inside of characters
      const bytes = Buffer.from(text)
      const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7))
      const written = yield* frazil(["topics", "write", "raw-transactions", "--data", data, "--json"], chunks)
      assert.isUndefined(written.error)
      assert.deepStrictEqual(JSON.parse(written.stdout), { topic: "raw-transactions", records: 5, too_long: 0 })
      const read = yield* frazil(["topics", "read", "raw-transactions", "--data", data])
      assert.sameMembers(read.stdout.split("\n").slice(0, -1), lines)
      const meta = yield* frazil(["topics", "read", "raw-transactions", "--data", data, "--meta"])
      const keys = meta.stdout
        .trim()
        .split("\n")
        .map((line) => [Reflect.get(JSON.parse(line), "key"), Reflect.get(JSON.parse(line), "partition")])
      // both of account 1 in one partition; what has no key in partition 0
      const [first, second] = keys.filter(([key]) => key === "ACC1")
      assert.deepStrictEqual(first, second)
      assert.strictEqual(keys.filter(([key, partition]) => key === null && partition === 0).length, 2)
    })
  )

  it.live("keys a topic without a contract by --key, and makes it only when told how many partitions", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      const write = (...options: ReadonlyArray<string>) =>
        frazil(["topics", "write", "notes", "--data", data, ...options], ['{"id":"a"}\n{"id":7}\n{"id":null}\n'])
      const refused = yield* write()
      assert.include(refused.error, "there is no data directory")
      assert.isFalse(existsSync(data))
      assert.isUndefined((yield* write("--partitions", "3", "--key", "id")).error)
      const read = yield* frazil(["topics", "read", "notes", "--data", data, "--meta"])
      const keys = read.stdout
        .trim()
        .split("\n")
        .map((line) => Reflect.get(JSON.parse(line), "key"))
      assert.sameMembers(keys, ["a", "7", null])
      assert.include((yield* write("--partitions", "4")).error, "topic notes has 3 partitions")
      const other = yield* frazil(["topics", "write", "others", "--data", data], ["x\n"])
      assert.include(other.error, "there is no topic others")
      const known = yield* frazil(["topics", "write", "dead-letter", "--data", data, "--key", "id"], [])
      assert.include(known.error, "the contract of dead-letter says its key")
    })
  )

  it.live("several commands write at once, and none takes another's producer", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      const write = (n: number) =>
        frazil(["topics", "write", "notes", "--data", data, "--partitions", "1"], [`a${n}\n`, `b${n}\n`])
      yield* write(0)
      const ended = yield* Effect.all([write(1), write(2), write(3)], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        ended.map(({ error }) => error),
        [undefined, undefined, undefined]
      )
      const read = yield* frazil(["topics", "read", "notes", "--data", data])
      assert.strictEqual(read.stdout.split("\n").length - 1, 8)
    })
  )
})

describe("topics read", () => {
  it.live("masks what is personal, also in records that do not decode, unless it is told otherwise", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      const good = `{"application_id":"0f0f0f0f-0000-4000-8000-000000000000","ssn":"123456789","amount":1250.50,"country":"DE"}`
      const lines = [good, `{"SSN":"123456789","country":"FR"}`, `{"ssn":"123456789"`, "123456789"]
      yield* frazil(["topics", "write", "loan_applications", "--data", data], [`${lines.join("\n")}\n`])
      const read = yield* frazil(["topics", "read", "loan_applications", "--data", data])
      assert.sameMembers(read.stdout.split("\n").slice(0, -1), [
        `{"application_id":"0f0f0f0f-0000-4000-8000-000000000000","ssn":"(personal)","amount":1250.50,"country":"DE"}`,
        `{"SSN":"(personal)","country":"FR"}`,
        `"(personal)"`,
        `"(personal)"`
      ])
      assert.include(read.stderr, "--unmask shows them")
      const meta = yield* frazil(["topics", "read", "loan_applications", "--data", data, "--meta"])
      assert.include(
        meta.stdout,
        `"key":"0f0f0f0f-0000-4000-8000-000000000000","value":{"application_id":"0f0f0f0f-0000-4000-8000-000000000000","ssn":"(personal)",`
      )
      assert.notInclude(meta.stdout, "123456789")
      const unmasked = yield* frazil(["topics", "read", "loan_applications", "--data", data, "--unmask"])
      assert.sameMembers(unmasked.stdout.split("\n").slice(0, -1), lines)
      assert.notInclude(unmasked.stderr, "unmask")
    })
  )

  const filled = Effect.gen(function* () {
    const data = yield* dataOf
    yield* frazil(["topics", "write", "n", "--data", data, "--partitions", "1"], ["0\n1\n2\n3\n"])
    return data
  })
  const read = (data: string, ...options: ReadonlyArray<string>) =>
    frazil(["topics", "read", "n", "--data", data, ...options])

  it.live("begins at an offset, a time, the start or the end, and ends at a limit", () =>
    Effect.gen(function* () {
      const data = yield* filled
      assert.strictEqual((yield* read(data, "--from", "2")).stdout, "2\n3\n")
      assert.strictEqual((yield* read(data, "--from", "1", "--limit", "2")).stdout, "1\n2\n")
      assert.strictEqual((yield* read(data, "--from", "2020-01-01T00:00:00Z")).stdout, "0\n1\n2\n3\n")
      assert.strictEqual((yield* read(data, "--from", "2090-01-01")).stdout, "")
      assert.strictEqual((yield* read(data, "--from", "end")).stdout, "")
      assert.strictEqual((yield* read(data, "--limit", "0")).stdout, "")
      // beyond the end: nothing of a whole topic, an error of one partition
      assert.strictEqual((yield* read(data, "--from", "9")).stdout, "")
      assert.include((yield* read(data, "--from", "9", "--partition", "0")).error, "--from 9 is none of them")
      assert.include((yield* read(data, "--partition", "1")).error, "--partition 1 is none of them")
    })
  )

  it.live("follows what is appended until it is interrupted or has enough", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const following = yield* Effect.forkChild(read(data, "--follow", "--from", "3", "--limit", "3"))
      yield* Effect.sleep(50)
      yield* frazil(["topics", "write", "n", "--data", data], ["4\n"])
      yield* frazil(["topics", "write", "n", "--data", data], ["5\n6\n"])
      assert.strictEqual((yield* Fiber.join(following)).stdout, "3\n4\n5\n")
    })
  )

  it.live("names a topic that is not there", () =>
    Effect.gen(function* () {
      const data = yield* filled
      const ended = yield* frazil(["topics", "read", "nope", "--data", data])
      assert.include(ended.error, "topic nope does not exist")
      assert.strictEqual(ended.stdout, "")
    })
  )
})

describe("a topic that a job writes for itself", () => {
  it.live("is listed as such, and no command reads or writes it: nobody has marked what is personal in it", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      const name = "fraud.keyBy-card-payments.repartition"
      yield* Log.use((log) => log.ensureTopic({ name, partitions: 2 })).pipe(Effect.provide(services(data)))
      const listed = yield* frazilJson("topics", "list", "--data", data)
      assert.deepInclude(Reflect.get(Object(listed), 0), { name, internal: true })
      assert.include((yield* frazil(["topics", "list", "--data", data])).stdout, "(internal)")
      for (const verb of ["read", "write"]) {
        const refused = yield* frazil(["topics", verb, name, "--data", data], verb === "write" ? ["{}\n"] : [])
        assert.include(String(refused.error), "is a job's own, between its stages")
      }
    })
  )
})

describe("topics list and describe", () => {
  it.live("say what the log holds and what contracts say, for people and for programs", () =>
    Effect.gen(function* () {
      const data = yield* dataOf
      yield* frazil(["topics", "write", "raw-transactions", "--data", data], [`${transaction(1)}\n`])
      yield* Log.use((log) => log.ensureTopic({ name: "internal", partitions: 2 })).pipe(Effect.provide(services(data)))
      const listed = yield* frazilJson("topics", "list", "--data", data)
      assert.isArray(listed)
      assert.deepInclude(Reflect.get(Object(listed), 0), { name: "internal", partitions: 2, records: 0, key: null })
      const raw = { name: "raw-transactions", records: 1, key: ["account_id"], table: "transactions.raw" }
      assert.deepInclude(Reflect.get(Object(listed), 1), raw)
      const lines = (yield* frazil(["topics", "list", "--data", data])).stdout.split("\n")
      assert.match(lines[2] ?? "", /^raw-transactions +4 +1 +account_id +transactions\.raw$/)
      const described = yield* frazilJson("topics", "describe", "raw-transactions", "--data", data)
      assert.deepInclude(described, { key: ["account_id"], event_time: "event_timestamp", table: "transactions.raw" })
      const text = (yield* frazil(["topics", "describe", "raw-transactions", "--data", data])).stdout
      assert.match(text, /^amount +decimal\(18,2\)$/m)
      assert.match(text, /^label +text +optional$/m)
    })
  )
})
