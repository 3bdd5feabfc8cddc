/**
 * Everything that a run says, collected by where it said it, and searched for what must not be said: as it is, and in the
 * forms in which it might slip through.
 */
import { Cause, Effect, Exit, Layer, Logger, References, Tracer } from "effect"

/** Where it was said, and what. */
export interface Said {
  readonly place: string
  readonly text: string
}

export interface Collector {
  readonly said: ReadonlyArray<Said>
  readonly add: (place: string, text: string) => void
  /** Loggers of all levels, and a tracer. */
  readonly layer: Layer.Layer<never>
  /** What spans hold by now. */
  readonly takeSpans: () => void
}

const textOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value instanceof Error) return `${value.stack ?? ""} ${value.message} ${JSON.stringify(value)}`
  try {
    return (
      JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each)) ?? String(value)
    )
  } catch {
    return String(value)
  }
}

/** Messages, stacks and fields of whatever went wrong, causes below it too. */
export const causeText = (cause: Cause.Cause<unknown>): string =>
  [Cause.pretty(cause), ...cause.reasons.map((reason) => textOf(reason))].join("\n")

const spanText = (span: Tracer.NativeSpan): string =>
  [
    span.name,
    ...[...span.attributes].map(([name, value]) => `${name}=${textOf(value)}`),
    ...span.events.map(([name, , attributes]) => `${name} ${textOf(attributes)}`),
    ...span.links.map(({ attributes }) => textOf(attributes)),
    span.status._tag === "Ended" && Exit.isFailure(span.status.exit) ? causeText(span.status.exit.cause) : ""
  ].join("\n")

export const makeCollector = (): Collector => {
  const said: Array<Said> = []
  const spans: Array<Tracer.NativeSpan> = []
  const add = (place: string, text: string) => void said.push({ place, text })
  const logger = Logger.make<unknown, void>((options) => {
    const annotations = textOf(options.fiber.getRef(References.CurrentLogAnnotations))
    const logSpans = textOf(options.fiber.getRef(References.CurrentLogSpans))
    add("log", `${options.logLevel} ${textOf(options.message)} ${annotations} ${logSpans} ${causeText(options.cause)}`)
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return {
    said,
    add,
    layer: Layer.mergeAll(
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "All"),
      Layer.succeed(Tracer.Tracer, tracer)
    ),
    takeSpans: () => {
      for (const span of spans.splice(0)) add("span", spanText(span))
    }
  }
}

/** Of base64 at each of the three places where the text may begin: what does not hang on its neighbours. */
const base64Forms = (text: string): ReadonlyArray<string> =>
  [0, 1, 2].map((before) => {
    const coded = Buffer.from(" ".repeat(before) + text).toString("base64")
    const end = Math.floor(((before + Buffer.byteLength(text)) * 8) / 6)
    return coded.slice(before === 0 ? 0 : before + 1, end)
  })

const formsOf = (text: string): ReadonlyArray<string> => [
  text,
  encodeURIComponent(text),
  JSON.stringify(text).slice(1, -1),
  Buffer.from(text).toString("hex"),
  ...base64Forms(text)
]

/** `place: form` of everything that was said and must not be. `needles` by what a person calls them. */
export const search = (said: ReadonlyArray<Said>, needles: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...needles].flatMap(([name, needle]) => {
    const forms = [...new Set(formsOf(needle))]
    return said.flatMap(({ place, text }) => {
      const lower = text.toLowerCase()
      const found = forms.findIndex((form) => text.includes(form) || lower.includes(form.toLowerCase()))
      return found < 0 ? [] : [`${place} says ${name}`]
    })
  })

/** Records what goes to the console and to standard error while `self` runs. */
export const withConsole = <A, E, R>(collector: Collector, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const names = ["log", "error", "warn", "info", "debug", "trace"] as const
      const before = names.map((name) => [name, console[name]] as const)
      for (const name of names) {
        console[name] = (...args: ReadonlyArray<unknown>) =>
          collector.add(`console.${name}`, args.map(textOf).join(" "))
      }
      return before
    }),
    () => self,
    (before) =>
      Effect.sync(() => {
        for (const [name, method] of before) console[name] = method
      })
  )
