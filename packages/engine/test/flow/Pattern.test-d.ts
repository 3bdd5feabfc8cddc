// Patterns by their types: what a match holds, and what is refused at the argument that is wrong; checked by `tsc`.
import { expr, Field, type Timestamp, Topic } from "@frazil/core"
import { Result, Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow, Pattern } from "../../src/index.ts"

class Login extends Schema.Opaque<Login>()(
  Schema.Struct({ ip: Field.text(), user: Field.text(), failed: Field.boolean, at: Field.timestamp })
) {}
class Odd extends Schema.TaggedError<Odd>()("Odd", { message: Schema.String }) {}
const Logins = Topic.make("logins", { schema: Login, key: "ip", eventTime: "at" })
const begin = Pattern.on(Logins).begin("failed", expr("failed"))
const logins = Flow.from(Logins)
const keyed = logins.pipe(Flow.keyBy("ip"))

const all = begin
  .times(3)
  .consecutive()
  .notFollowedBy("locked", (login, earlier) => {
    expectTypeOf(login).toEqualTypeOf<Login>()
    expectTypeOf(earlier.failed).toEqualTypeOf<ReadonlyArray<Login>>()
    expectTypeOf(earlier.locked).toEqualTypeOf<ReadonlyArray<Login>>()
    return login.user === "root"
  })
  .followedBy("success", (login, { failed }) => !login.failed && login.user === failed[0]?.user)
  .next("again", (login, { success }) => login.user === success.user)
  .optional()
  .followedBy("more", expr("failed"))
  .oneOrMore({ max: 5 })
  .optional()
  .within("10 minutes", { skip: { skipToLast: "success" }, partialMatchesMax: 50 })

const matches = keyed.pipe(Flow.pattern(all))
expectTypeOf<Flow.RecordOf<typeof matches>>().toEqualTypeOf<{
  readonly ip: string
  readonly steps: {
    readonly failed: ReadonlyArray<Login>
    readonly success: Login
    readonly again: Login | null
    readonly more: ReadonlyArray<Login>
  }
}>()

const { matched, timedOut } = keyed.pipe(Flow.patternWithTimeouts(all, { name: "brute force" }))
expectTypeOf<Flow.RecordOf<typeof matched>>().toEqualTypeOf<Flow.RecordOf<typeof matches>>()
expectTypeOf<Flow.RecordOf<typeof timedOut>["steps"]["success"]>().toEqualTypeOf<Login | null>()
expectTypeOf<Flow.RecordOf<typeof timedOut>["steps"]["failed"]>().toEqualTypeOf<ReadonlyArray<Login>>()

const declared = keyed.pipe(
  Flow.patternOf((p) =>
    p
      .begin("first", (login) => login.failed)
      .followedBy("second", (login, { first }) => login.at - first.at > 1000)
      .within("1 minute")
  )
)
expectTypeOf<Flow.RecordOf<typeof declared>["steps"]["second"]["at"]>().toEqualTypeOf<Timestamp>()

// a pattern over fewer fields fits more flows
const users = Pattern.on(Topic.make("users", { schema: Schema.Struct({ user: Field.text() }), key: "user" })).begin(
  "user",
  ({ user }) => user !== ""
)
keyed.pipe(Flow.pattern(users.within("1 minute")))

// @ts-expect-error: not keyed
logins.pipe(Flow.pattern(all))
// @ts-expect-error: without end
keyed.pipe(Flow.pattern(begin))
// @ts-expect-error: no such unit
begin.within("10 mins")
// @ts-expect-error: a step with this name
begin.followedBy("failed", expr("failed"))
// @ts-expect-error: the name of a negative one
begin.notFollowedBy("locked", expr("failed")).followedBy("locked", expr("failed"))
// @ts-expect-error: no such step before
begin.followedBy("success", (_, { locked }) => locked)
// @ts-expect-error: a negative step takes no record
begin.notFollowedBy("locked", expr("failed")).followedBy("success", (login, { locked }) => locked.user === login.user)
// @ts-expect-error: the very next record, whatever comes between
begin.notFollowedBy("locked", expr("failed")).next("success", expr("failed"))
// @ts-expect-error: what must not come has no number
begin.notFollowedBy("locked", expr("failed")).times(3)
// @ts-expect-error: how many are kept
begin.oneOrMore()
// @ts-expect-error: quantified already
begin.times(3).oneOrMore({ max: 3 })
// @ts-expect-error: the first cannot be left out
begin.optional()
// @ts-expect-error: no field of the record
begin.followedBy("success", (login) => login.result === "success")
// @ts-expect-error: skips to no step
begin.within("1 minute", { skip: { skipToFirst: "success" } })
// @ts-expect-error: no such strategy
begin.within("1 minute", { skip: "skipAll" })
const failing = keyed.pipe(
  Flow.filter(() => true),
  Flow.mapResult((login: Login): Result.Result<Login, Odd> => Result.succeed(login)),
  Flow.keyBy("ip")
)
// @ts-expect-error: failures would be open on both branches
failing.pipe(Flow.patternWithTimeouts(all))

// where partial matches are
keyed.pipe(Flow.pattern(all, { store: "disk" }))
// @ts-expect-error: there is no such place
keyed.pipe(Flow.pattern(all, { store: "elsewhere" }))
