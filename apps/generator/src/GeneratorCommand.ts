/**
 * The app's command: options to a running generator, its outlet and its controls.
 *
 * `main.ts` runs it. Order of a start: options → rate → outlet (file, or the topic in the log) → controls → generator.
 * The outlet's scope closes last, so that Ctrl-C still delivers what was generated.
 */
import { Config, Console, Effect, Option, Random } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { dataDirectory, Flags, logLayer, sayLog } from "@frazil/platform"
import {
  claimsCountDefault,
  fraudShareDefault,
  fraudShareMax,
  generateAll,
  guessShareDefault,
  kindNames,
  kinds,
  makeTokenBucket,
  openTopic,
  type Outlet,
  rateDefault,
  rateMax,
  runGenerator,
  type TokenBucket
} from "@frazil/sim"
import { makeFileOutlet } from "./FileOutlet.ts"
import { GeneratorError } from "./GeneratorError.ts"
import { makeProgressScreen, type ProgressScreen } from "./ProgressScreen.ts"
import { readRate, watchRate } from "./RateFile.ts"

/** One name for every run of a kind: a second one on the same log fences the first instead of doubling its stream. */
const producerName = (kind: string) => `generator-${kind}`
/** A log that is locked or out of reach is no reason to wait here: delivery repeats, buffers and tells. */
const busyTimeoutMs = 1_000
const seedsMax = 2 ** 31
/** What eight digits number. */
const claimsMax = 99_999_999

const options = {
  kind: Argument.Literals("kind", kindNames).pipe(
    Argument.withDescription("What to generate; customers are the 1,000 whom applications speak of, once each"),
    Argument.withMetavar(kindNames.join("|"))
  ),
  rate: Flag.Finite("rate").pipe(
    Flag.withDescription(`Events per second, 0 to ${rateMax} (default ${rateDefault}); 0 pauses`),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Finite("FRAZIL_RATE")),
    Flag.optional
  ),
  count: Flag.Int("count").pipe(
    Flag.withDescription("End after so many events (default: run until Ctrl-C)"),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_COUNT")),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("The same seed makes the same people spend the same money (default: another one each time)"),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_SEED")),
    Flag.optional
  ),
  out: Flag.String("out").pipe(
    Flag.withDescription("Write to this file, one event a line, instead of the topic"),
    Flag.withMetavar("FILE.ndjson"),
    Flag.optional
  ),
  config: Flag.String("config").pipe(
    Flag.withDescription("YAML file with a line such as rate: 50; an edit is seen while running"),
    Flag.withMetavar("FILE.yaml"),
    Flag.optional
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("Take another rate by HTTP on 127.0.0.1: GET and PUT /rate, GET /health; 0 is any free port"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  start: Flag.Date("start").pipe(
    Flag.withDescription("With --count: as fast as possible, as if the first event arrived at this time"),
    Flag.withMetavar("TIME"),
    Flag.optional
  ),
  fraudShare: Flag.Finite("fraud-share").pipe(
    Flag.withDescription(`Of transactions, the part that belongs to fraud, labelled so, 0 to ${fraudShareMax}`),
    Flag.withDefault(fraudShareDefault)
  ),
  invalidShare: Flag.Finite("invalid-share").pipe(
    Flag.withDescription("Of transactions, the part that breaks the contract, 0 to 1"),
    Flag.withDefault(0)
  ),
  knownShare: Flag.Finite("known-share").pipe(
    Flag.withDescription("Of applications, the part that comes from customers, 0 to 1"),
    Flag.withDefault(0.6)
  ),
  unknownShare: Flag.Finite("unknown-share").pipe(
    Flag.withDescription("Of payments, the part whose claim does not exist, 0 to 1"),
    Flag.withDefault(0.02)
  ),
  claims: Flag.Int("claims").pipe(
    Flag.withDescription("Claims that payments speak of, as `frazil claims seed --claims` made them"),
    Flag.withMetavar("N"),
    Flag.withDefault(claimsCountDefault)
  ),
  guessShare: Flag.Finite("guess-share").pipe(
    Flag.withDescription("Of logins, the part that belongs to guessing from one address, 0 to 1"),
    Flag.withDefault(guessShareDefault)
  ),
  ...Flags.location,
  json: Flags.json,
  verbose: Flags.verbose
}

type Options = Command.Command.Config.Infer<typeof options>

const demand = (holds: boolean, message: string): Effect.Effect<void, GeneratorError> =>
  holds ? Effect.void : Effect.fail(new GeneratorError({ message }))

const between = (value: number, low: number, high: number): boolean => value >= low && value <= high

const checkOptions = Effect.fnUntraced(function* (given: Options) {
  const { claims, count, fraudShare, guessShare, invalidShare, knownShare, port, start, unknownShare } = given
  yield* demand(Option.isNone(count) || count.value >= 1, "--count must be 1 or more")
  yield* demand(between(fraudShare, 0, fraudShareMax), `--fraud-share must be from 0 to ${fraudShareMax}`)
  const shares = { guess: guessShare, invalid: invalidShare, known: knownShare, unknown: unknownShare }
  for (const [name, share] of Object.entries(shares)) {
    yield* demand(between(share, 0, 1), `--${name}-share must be from 0 to 1`)
  }
  yield* demand(between(claims, 1, claimsMax), `--claims must be from 1 to ${claimsMax}`)
  yield* demand(Option.isNone(port) || between(port.value, 0, 65_535), "--port must be from 0 to 65535")
  yield* demand(Option.isNone(start) || Option.isSome(count), "--start needs --count: without it the run would not end")
})

/** The rate at the start: the option, else the file's, else the default. */
const makeBucket = Effect.fnUntraced(function* ({ config, rate, start }: Options) {
  const fromFile = Option.isSome(config) ? yield* readRate(config.value) : rateDefault
  const chosen = Option.getOrElse(rate, () => fromFile)
  yield* demand(Option.isNone(start) || chosen > 0, "--start needs a rate above 0")
  return yield* makeTokenBucket(chosen)
})

/** Applications speak of customers: a log that has none yet gets them first. */
const seedCustomers = Effect.fnUntraced(function* (say: ProgressScreen["say"]) {
  const made = yield* generateAll("customers", producerName("customers"))
  if (made > 0) yield* say(`${made} customers to ${kinds.customers.topic.name}`)
})

/** Runs a generator over an opened outlet. */
const generateTo = Effect.fnUntraced(function* <E, R>(
  given: Options,
  bucket: TokenBucket,
  screen: ProgressScreen,
  target: string,
  openOutlet: Effect.Effect<Outlet<E>, E, R>
) {
  const seed = Option.isSome(given.seed) ? given.seed.value : yield* Random.nextIntBetween(0, seedsMax)
  const outlet = yield* openOutlet
  yield* screen.say(`${given.kind} to ${target}, ${yield* bucket.rate}/s, seed ${seed}; Ctrl-C ends`)
  if (Option.isSome(given.config)) yield* Effect.forkScoped(watchRate(given.config.value, bucket, screen.say))
  if (Option.isSome(given.port)) {
    // loaded only when asked for: it takes longer than the rest of the start
    const { serveRateApi } = yield* Effect.promise(() => import("./RateApi.ts"))
    yield* serveRateApi(given.port.value, { bucket, progress: screen.last, say: screen.say })
  }
  const summary = Effect.suspend(() => {
    const last = screen.last()
    return given.json && last !== undefined
      ? Console.log(JSON.stringify({ kind: given.kind, target, seed, ...last }))
      : Effect.void
  })
  const { all, source } = kinds[given.kind]
  const count = Option.getOrElse(given.count, () => all)
  // what is no event is not paced
  const startMs = Option.isSome(given.start) ? given.start.value.getTime() : all === undefined ? undefined : 0
  yield* runGenerator({
    source: source(seed, given),
    bucket,
    outlet,
    onProgress: screen.report,
    ...(count === undefined ? {} : { count }),
    ...(startMs === undefined ? {} : { startMs })
  }).pipe(Effect.ensuring(Effect.andThen(screen.finish, summary)))
}, Effect.scoped)

export const generatorCommand = Command.make(
  "generator",
  options,
  Effect.fnUntraced(function* (given) {
    yield* checkOptions(given)
    const bucket = yield* makeBucket(given)
    const screen = makeProgressScreen(process.stderr, kinds[given.kind].labelText)
    if (Option.isSome(given.out)) {
      const path = given.out.value
      yield* generateTo(given, bucket, screen, path, makeFileOutlet(path))
      return
    }
    const directory = dataDirectory(given.data, undefined, given.log)
    const place = given.log._tag === "Embedded" ? given.data : sayLog(directory)
    const target = `${kinds[given.kind].topic.name} in ${place}`
    const toTopic = generateTo(given, bucket, screen, target, openTopic(given.kind, producerName(given.kind)))
    yield* (given.kind === "applications" ? Effect.andThen(seedCustomers(screen.say), toTopic) : toTopic).pipe(
      Effect.provide(logLayer(directory, { busyTimeoutMs }))
    )
  })
).pipe(Command.withDescription("Generates made-up events at a rate, into a topic or a file"))
