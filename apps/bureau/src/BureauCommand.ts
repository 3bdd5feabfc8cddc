/**
 * The app's command: options to a running bureau.
 *
 * Tests change what it does while it runs: `PUT /control` with some of what `GET /control` tells.
 */
import { parseDuration } from "@frazil/core"
import { Flags } from "@frazil/platform"
import { behaviourDefault, serveBureau } from "@frazil/sim"
import { Console, Effect, Option } from "effect"
import { CliError, Command, Flag } from "effect/cli"

const portDefault = 8090

const invalid = (option: string, value: string, expected: string) =>
  new CliError.InvalidValue({ option, value, expected, kind: "flag" })

/** `200ms..1500ms`, or one duration for both. */
const delay = Flag.String("delay").pipe(
  Flag.withDescription("How long an answer takes: any time between both, or always the same (default 200ms..1500ms)"),
  Flag.withMetavar("200ms..1500ms"),
  Flag.withDefault(`${behaviourDefault.delayMsMin}ms..${behaviourDefault.delayMsMax}ms`),
  Flag.mapEffect((text) => {
    const [from = "", to = from, ...more] = text.split("..")
    const delayMsMin = parseDuration(from)
    const delayMsMax = parseDuration(to)
    return delayMsMin === undefined || delayMsMax === undefined || delayMsMin > delayMsMax || more.length > 0
      ? Effect.fail(invalid("delay", text, "two durations such as 200ms..1500ms, the shorter one first, or one"))
      : Effect.succeed({ delayMsMin, delayMsMax })
  })
)

const limit = Flag.String("limit").pipe(
  Flag.withDescription("Calls a second; more are answered 429 with Retry-After"),
  Flag.withMetavar("N/s"),
  Flag.mapEffect((text) => {
    const perSecond = /^([1-9][0-9]{0,5})\/s$/.exec(text)?.[1]
    return perSecond === undefined
      ? Effect.fail(invalid("limit", text, "calls a second from 1/s to 999999/s"))
      : Effect.succeed(Number(perSecond))
  }),
  Flag.optional
)

const concurrency = Flag.Int("concurrency").pipe(
  Flag.withDescription("Calls at a time; more are answered 503"),
  Flag.withMetavar("N"),
  Flag.mapEffect((given) =>
    given >= 1 && given <= 1_000_000
      ? Effect.succeed(given)
      : Effect.fail(invalid("concurrency", String(given), "a number from 1 to 1000000"))
  ),
  Flag.optional
)

const share = (name: string, description: string) =>
  Flag.Finite(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("0..1"),
    Flag.withDefault(0),
    Flag.mapEffect((given) =>
      given >= 0 && given <= 1 ? Effect.succeed(given) : Effect.fail(invalid(name, String(given), "a part from 0 to 1"))
    )
  )

const options = {
  port: Flag.Int("port").pipe(
    Flag.withDescription("Port on 127.0.0.1; 0 takes any free one"),
    Flag.withMetavar("N"),
    Flag.withDefault(portDefault),
    Flag.mapEffect((given) =>
      given >= 0 && given <= 65_535
        ? Effect.succeed(given)
        : Effect.fail(invalid("port", String(given), "a port from 0 to 65535"))
    )
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("The same seed gives the same scores"),
    Flag.withMetavar("N"),
    Flag.withDefault(1)
  ),
  delay,
  limit,
  concurrency,
  failRate: share("fail-rate", "Part of the calls that is answered 500"),
  hangRate: share("hang-rate", "Part of the calls that is never answered"),
  verbose: Flags.verbose
}

export const bureauCommand = Command.make(
  "bureau",
  options,
  Effect.fnUntraced(function* (given) {
    const { address } = yield* serveBureau({
      port: given.port,
      seed: given.seed,
      behaviour: {
        ...given.delay,
        limitPerSecond: Option.getOrNull(given.limit),
        concurrency: Option.getOrNull(given.concurrency),
        failRate: given.failRate,
        hangRate: given.hangRate
      }
    })
    yield* Console.error(`bureau: POST ${address}/v1/score; ${address}/control changes what it does; Ctrl-C stops`)
    return yield* Effect.never
  }, Effect.scoped)
).pipe(Command.withDescription("A made-up credit bureau that is slow, limited and ill on request"))
