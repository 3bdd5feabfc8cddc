/** What `Job.make` refuses of patterns, in its words, and the names that it derives for them. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { count, Flow, Job, Lookup, Pattern, Window } from "../../src/index.ts"
import { runToEnd, worldWithoutLedger } from "../support/Harness.ts"

class Login extends Schema.Opaque<Login>()(
  Schema.Struct({ ip: Field.text(), failed: Field.boolean, at: Field.timestamp })
) {}
class Alert extends Schema.Opaque<Alert>()(Schema.Struct({ ip: Field.text() })) {}
const Logins = Topic.make("logins", { schema: Login, key: "ip", eventTime: "at" })
const Timeless = Topic.make("timeless", { schema: Login, key: "ip" })
const Alerts = Topic.make("alerts", { schema: Alert, key: "ip" })

class Risk extends Schema.Opaque<Risk>()(Schema.Struct({ score: Field.int() })) {}
class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}
class Risks extends Lookup.Service<Risks, string, Risk, Gone>()("test/Risks", {
  answer: Risk,
  failures: { Gone: "final" },
  timeout: (message) => new Gone({ message }),
  unavailable: (message) => new Gone({ message })
}) {}

const begin = Pattern.on(Logins).begin("failed", expr("failed"))
const twice = begin.times(2).within("1 minute")
const logins = Flow.from(Logins).pipe(Flow.keyBy("ip"))
const name = "pattern(ip)@logins"

/** The problems of a job of these outputs. */
const problemsOf = (...outputs: ReadonlyArray<Flow.Output<unknown>>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

const of = (
  pattern: Pattern<Login, unknown>,
  options: { readonly name?: string; readonly store?: Flow.StateStore } = {}
) =>
  logins.pipe(
    Flow.pattern(pattern, options),
    Flow.to(Alerts, options.name === undefined ? {} : { name: `${options.name} out` })
  )

describe("a job with patterns", () => {
  it("is refused when counts and times make no sense", () => {
    assert.deepStrictEqual(problemsOf(of(twice)), [])
    assert.deepStrictEqual(problemsOf(of(begin.within("0s"))), [
      `${name}: its within is nothing, so no two records could be a match: write how long it may take`
    ])
    assert.deepStrictEqual(problemsOf(of(begin.times(3, 2).within("1m"))), [
      `${name}: "failed" takes 3 to 2 records; write whole numbers from 1, the lesser first`
    ])
    assert.include(problemsOf(of(begin.times(0).within("1m")))[0], "takes 0 to 0 records")
    assert.include(problemsOf(of(begin.oneOrMore({ max: 5000 }).within("1m")))[0], "up to 5000 records, at most 1000")
    assert.include(problemsOf(of(begin.within("1m", { partialMatchesMax: 0 })))[0], "from 1 to 10000, found 0")
    assert.include(problemsOf(of(begin.within("1m", { recordsHeldMax: 0 })))[0], "at least 1, found 0")
    assert.deepStrictEqual(problemsOf(of(twice, { store: "disk" })), [])
    assert.deepStrictEqual(problemsOf(of(twice, { store: { disk: { cacheBytesMax: Number.NaN } } })), [
      `${name}: its cacheBytesMax is no number of bytes`
    ])
    let long = begin.followedBy("step", expr("failed")) as unknown as typeof begin // its names are not known to the types
    for (let step = 0; step < 31; step++) {
      long = long.followedBy(`s${step}` as "s", expr("failed")) as unknown as typeof begin
    }
    assert.include(problemsOf(of(long.within("1m")))[0], "33 conditions, at most 31")
  })

  it("is refused when steps stand where they cannot, or have one name", () => {
    const optionalAfterNot = begin.notFollowedBy("ok", expr("!failed")).followedBy("more", expr("failed")).optional()
    assert.deepStrictEqual(problemsOf(of(optionalAfterNot.within("1m"))), [
      `${name}: "more" follows notFollowedBy, so it must be there; write a pattern for each way`
    ])
    const first = begin.times(2) as unknown as { optional: () => typeof begin } // as plain JavaScript may
    const repeated = first.optional().followedBy("failed" as "other", expr("failed"))
    assert.deepStrictEqual(problemsOf(of(repeated.within("1m"))), [
      `${name}: its first step "failed" is optional; begin with the one after it`,
      `${name}: two steps are named "failed"; give each its own name`
    ])
  })

  it("is refused when its skip strategy would skip nothing", () => {
    const skip = begin.followedBy("more", expr("failed"))
    assert.deepStrictEqual(problemsOf(of(skip.within("1m", { skip: { skipToFirst: "more" } }))), [])
    assert.deepStrictEqual(problemsOf(of(skip.within("1m", { skip: { skipToLast: "failed" } }))), [
      `${name}: skips to "failed", with which a match begins, so it would skip nothing; write noSkip`
    ])
    assert.deepStrictEqual(problemsOf(of(begin.times(2).within("1m", { skip: { skipToLast: "failed" } }))), [])
    assert.include(
      problemsOf(of(skip.within("1m", { skip: { skipToFirst: "nobody" as "more" } })))[0],
      'skips to "nobody", which is no step'
    )
  })

  it("is refused over expressions that do not check, over records without time, and by another key where nobody knows the records", () => {
    const wrong = begin.followedBy("more", expr("faild"))
    assert.include(problemsOf(of(wrong.within("1m")))[0], `${name}: `)
    assert.include(problemsOf(of(wrong.within("1m")))[0], "faild")
    const timeless = Flow.from(Timeless).pipe(Flow.keyBy("ip"), Flow.pattern(twice), Flow.to(Alerts))
    assert.include(problemsOf(timeless)[0], "its records are put in the order of event time, but timeless has none")
    const made = Flow.from(Logins).pipe(
      Flow.map((login: Login) => ({ ...login, user: login.ip })),
      Flow.keyBy("user"),
      Flow.patternOf((p) => p.begin("any", () => true).within("1m")),
      Flow.map(({ user }) => ({ ip: user })),
      Flow.to(Alerts)
    )
    assert.include(problemsOf(made)[0], "keyBy(user)@logins: its records go through a topic, but code made them")
  })

  it("goes through a topic behind a window, and is refused where nobody knows the records: behind a pattern, and code", () => {
    const window = Window.tumbling("1m", { allowedLateness: "0s" })
    const again = { name: "again" }
    const counted = logins.pipe(Flow.window(window, { count: count() }, { name: "inner" }), Flow.keyBy("ip", again))
    const any = Flow.patternOf<
      { readonly ip: string },
      never,
      never,
      { readonly ip: string },
      { readonly any: object }
    >((p) => p.begin("any", () => true).within("1m"), { name: "outer" })
    assert.deepStrictEqual(problemsOf(counted.pipe(any, Flow.to(Alerts))), [])
    const matched = logins.pipe(Flow.pattern(twice, { name: "inner" }), Flow.keyBy("ip", again))
    const steps = "again: its records go through a topic, but nobody knows what steps holds"
    assert.include(problemsOf(matched.pipe(any, Flow.to(Alerts)))[0], steps)
    assert.include(problemsOf(matched.pipe(Flow.window(window, { count: count() }), Flow.to(Alerts)))[0], steps)
    const asked = matched.pipe(
      Flow.lookup(Risks, { key: "ip", name: "risks" }),
      Flow.catchTag("Gone", ({ record }) => record),
      Flow.to(Alerts)
    )
    assert.include(problemsOf(asked)[0], "risks: a lookup over the results of inner")
    const behind = logins.pipe(
      Flow.lookup(Risks, { key: "ip", name: "risks" }),
      Flow.catchTag("Gone", ({ record }) => record),
      Flow.keyBy("ip", again),
      Flow.pattern(twice, { name: "outer" }),
      Flow.to(Alerts)
    )
    assert.include(problemsOf(behind).join("\n"), "again: its records go through a topic, but code made them")
  })

  it("names a pattern by its key and topic; two of one name are refused, since a number would swap their states", () => {
    const [problem] = problemsOf(of(twice), of(begin.within("1m")))
    assert.include(problem, `two operators are named "${name}"`)
    assert.deepStrictEqual(problemsOf(of(twice), of(begin.within("1m"), { name: "second" })), [])
  })

  it.live("does not run without a ledger", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(runToEnd(Job.make("job", [of(twice)])))
      assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("need a Ledger"))
    }).pipe(Effect.provide(worldWithoutLedger))
  )
})
