/** Sinks of a settings file: what is accepted becomes what was meant, what is not is told, and personal data stays. */
import { Decimal, Field, Timestamp, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decodeConnections, decodeSinks } from "../../src/index.ts"
import { featuresOf } from "../../src/sink/FeatureTemplate.ts"

const Visits = Topic.make("visits", {
  schema: Schema.Struct({
    customer_id: Field.text(),
    shop: Field.int(),
    spent: Field.decimal(12, 2),
    at: Field.timestamp,
    note: Field.optional(Field.text()),
    places: Field.json(Schema.Array(Schema.String)),
    share: Field.double()
  }),
  key: "customer_id"
})
const People = Topic.make("people", {
  schema: Schema.Struct({ id: Field.text(), ssn: Field.personal(Field.digits9), visits: Field.int() }),
  key: "id"
})
const Letters = Topic.make("letters", { schema: Schema.Struct({ id: Field.text() }), key: "id" })

const connections = decodeConnections(
  {
    hook: { kind: "http", url: "http://127.0.0.1:1/hook" },
    db: { kind: "postgres", url: "postgres://lab@127.0.0.1:1/lab" },
    features: { kind: "redis", url: "redis://127.0.0.1:1" },
    wrong: { kind: "http", url: "http://u:hunter2@127.0.0.1:1" }
  },
  () => undefined
)

const decode = (declared: unknown) =>
  decodeSinks(declared, {
    topics: [Visits, People, Letters] as unknown as ReadonlyArray<Topic<object>>,
    connections,
    deadLetterTopic: "letters"
  })

const count = "fraud_features:{customer_id}:visits_of_{shop}"
const feature = { key: count, value: "spent", ttl: "5m" }

describe("declared sinks", () => {
  it("become a form each, with their topic and connection", () => {
    const { problems, sinks } = decode({
      hook: { kind: "webhook", topic: "visits", connection: "hook" },
      rows: { kind: "postgres", topic: "visits", connection: "db", table: "visits", key: ["customer_id", "shop"] },
      store: { kind: "redis", topic: "visits", connection: "features", features: [feature] },
      people: { kind: "webhook", topic: "people", connection: "hook", personal: true },
      // what is personal is not read
      counts: {
        kind: "redis",
        topic: "people",
        connection: "features",
        features: [{ key: "visits:{id}", value: "visits", ttl: "1h" }]
      }
    })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(
      sinks.map(({ connection, form, name, topic }) => [name, topic.name, connection.kind, form.kind]),
      [
        ["hook", "visits", "http", "webhook"],
        ["rows", "visits", "postgres", "postgres"],
        ["store", "visits", "redis", "redis"],
        ["people", "people", "http", "webhook"],
        ["counts", "people", "redis", "redis"]
      ]
    )
    assert.deepStrictEqual(decode(undefined), { sinks: [], problems: [] })
  })

  it("make features of records: exact values, and none of null", () => {
    const of = (value: string) => {
      const [sink] = decode({
        s: { kind: "redis", topic: "visits", connection: "features", features: [{ ...feature, value }] }
      }).sinks
      assert(sink?.form.kind === "redis")
      return featuresOf(sink.form.features)({
        customer_id: "C123",
        shop: 7,
        spent: Decimal.of("1234567890.10", 2),
        at: Timestamp.make(1_768_434_300_000),
        note: null,
        places: ["a", "b"],
        share: 0.5
      })
    }
    const key = "fraud_features:C123:visits_of_7"
    assert.deepStrictEqual(of("spent"), [{ key, value: "1234567890.10", ttlMs: 300_000 }])
    assert.deepStrictEqual(of("at"), [{ key, value: "2026-01-14T23:45:00.000Z", ttlMs: 300_000 }])
    assert.deepStrictEqual(of("places"), [{ key, value: `["a","b"]`, ttlMs: 300_000 }])
    assert.deepStrictEqual(of("note"), [])
  })

  const hook = { kind: "webhook", topic: "visits", connection: "hook" }
  const rows = { kind: "postgres", topic: "visits", connection: "db", table: "v", key: ["customer_id"] }
  const store = { kind: "redis", topic: "visits", connection: "features", features: [feature] }
  const storeOf = (change: object) => ({ ...store, features: [{ ...feature, ...change }] })
  const refused: ReadonlyArray<readonly [declared: unknown, message: RegExp]> = [
    [{ ...hook, kind: "carrier-pigeon" }, /must be of kind webhook, postgres/],
    [{ ...hook, secret: "hunter2" }, /with topic and connection/],
    [{ kind: "webhook", topic: "visits" }, /look at connection/],
    [{ ...hook, topic: "nothing" }, /no contract declares a topic "nothing"/],
    [{ ...hook, topic: "letters" }, /would come back to it/],
    [{ ...hook, connection: "nowhere" }, /there is no connection "nowhere"/],
    [{ ...hook, connection: "wrong" }, /connection "wrong": its url holds a password/],
    [{ ...hook, connection: "db" }, /is of kind postgres, and http is needed/],
    [{ ...hook, topic: "people" }, /personal data \("ssn"\): say personal: true/],
    [{ ...hook, topic: "people", personal: false }, /personal data/],
    [{ ...rows, key: [] }, /look at key/],
    [{ ...rows, key: ["nothing"] }, /topic visits has no field "nothing"/],
    [{ ...rows, key: ["note"] }, /"note" may be null/],
    [{ ...rows, key: ["places"] }, /"places" cannot be a key/],
    [{ ...rows, topic: "people", key: ["id"] }, /personal data/],
    [storeOf({ key: "always:the:same" }), /names a field in braces/],
    [storeOf({ key: "a:{customer_id" }), /names a field in braces/],
    [storeOf({ key: "a:{customer_id}:{" }), /has no other one/],
    [storeOf({ key: "a:{nothing}" }), /no field "nothing"/],
    [storeOf({ key: "a:{note}" }), /"note" cannot be part of a key/],
    [storeOf({ value: "nothing" }), /no field "nothing"/],
    [storeOf({ ttl: "5 parsecs" }), /ttl is a duration/],
    [storeOf({ ttl: "10ms" }), /ttl is a duration/],
    [{ ...storeOf({ key: "a:{id}", value: "ssn" }), topic: "people" }, /personal data \("ssn"\)/],
    [{ ...storeOf({ key: "a:{ssn}", value: "visits" }), topic: "people" }, /personal data \("ssn"\)/],
    ["hunter2", /must be of kind/]
  ]
  it.each(refused)("are refused with what to change: %j", (declared, message) => {
    const { problems, sinks } = decode({ "a-sink": declared })
    assert.deepStrictEqual(sinks, [])
    assert.strictEqual(problems.length, 1)
    assert.match(problems[0]!.message, /^sink "a-sink": /)
    assert.match(problems[0]!.message, message)
    assert.notInclude(problems[0]!.message, "hunter2")
  })

  it("are a list of names", () => {
    assert.match(decode([hook]).problems[0]!.message, /must be a list of names/)
    assert.match(decode({ "A Sink": hook }).problems[0]!.message, /small letters, digits/)
  })
})
