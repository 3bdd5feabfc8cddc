/**
 * A rule document against the topic it is about: fields, types, times, the message's names. Every problem at once.
 *
 * Called when rules are loaded, never on data. What it accepts runs: `Job.make` refuses none of it. `CheckWindow.ts` has
 * what only windows have.
 */
import { type FieldSpec, type RecordShape, Timestamp } from "@frazil/core"
import { Result } from "effect"
import { checkCondition, type CheckContext } from "./CheckContext.ts"
import type { CheckedRule, RuleTopic } from "./CheckedRule.ts"
import { checkWindow } from "./CheckWindow.ts"
import type { ReadRule } from "./Document.ts"
import type { RuleProblem } from "./Problem.ts"
import { parseTemplate, type Template } from "./Template.ts"

/** A field that rules may read and alerts may show as key. */
const keyField = ({ read, refuse }: CheckContext, topic: RuleTopic): FieldSpec | undefined => {
  const path = read.document.key === undefined ? ["on"] : ["key"]
  const name = read.document.key ?? topic.key[0]
  if (name === undefined) return refuse(path, `${topic.name} has no key: name a field with "key"`)
  const field = topic.shape.byName.get(name)
  if (field === undefined || field.hiddenFromRules) return refuse(path, `no field "${name}" that a rule could take`)
  if (field.personal) return refuse(path, `"${name}" is personal data, which alerts do not carry: take another key`)
  if (field.nullable) return refuse(path, `"${name}" may be null: a key has a value always`)
  return field.type._tag === "Text" || field.type._tag === "Int"
    ? field
    : refuse(path, `"${name}" is neither a text nor an integer, as a key must be`)
}

const checkTemplate = ({ read, refuse }: CheckContext, shape: RecordShape): Template | undefined => {
  const parsed = parseTemplate(read.document.message)
  if (Result.isFailure(parsed)) return refuse(["message"], parsed.failure.message, parsed.failure.offset)
  for (const part of parsed.success) {
    if (part._tag === "Text") continue
    const field = shape.byName.get(part.name)
    const visible = shape.fields.filter((each) => !each.hiddenFromRules && !each.personal && each.type._tag !== "Json")
    if (field === undefined || field.hiddenFromRules) {
      refuse(
        ["message"],
        `no value {${part.name}}: there are ${visible.map(({ name }) => name).join(", ")}`,
        part.offset
      )
    } else if (field.personal) {
      refuse(["message"], `{${part.name}} is personal data, which messages do not show`, part.offset)
    } else if (field.type._tag === "Json") {
      refuse(["message"], `{${part.name}} is nested: only plain fields can be shown`, part.offset)
    }
  }
  return parsed.success
}

/** The condition together with the rule's effective times. */
const withTimes = ({ read, refuse }: CheckContext, timeField: string | undefined): string | undefined => {
  const { effective, when } = read.document
  const times = (["from", "until"] as const).flatMap((bound) => {
    const text = effective?.[bound]
    if (text === undefined) return []
    const time = Timestamp.parse(text)
    if (time !== undefined && time !== "out_of_range") return [{ bound, time }]
    refuse(["effective", bound], "a time is written 2026-01-31T12:00:00Z")
    return []
  })
  const [from, until] = times
  if (from !== undefined && until !== undefined && from.time >= until.time) {
    refuse(["effective"], "it would never be in effect: from must come before until")
  }
  if (times.length === 0) return when
  if (timeField === undefined) return refuse(["effective"], `${read.document.on} has no event time to judge it by`)
  const bounds = times.map(
    ({ bound, time }) => `${timeField} ${bound === "from" ? ">=" : "<"} timestamp("${Timestamp.format(time)}")`
  )
  // on a line of its own: the condition may end in a comment
  return [`(${when}\n)`, ...bounds].join(" && ")
}

/** Checks a document against its topic, one of `topics`. Fails with all problems. */
export const checkRule = (
  read: ReadRule,
  topics: ReadonlyArray<RuleTopic>
): Result.Result<CheckedRule, ReadonlyArray<RuleProblem>> => {
  const problems: Array<RuleProblem> = []
  const refuse: CheckContext["refuse"] = (path, message, offset) => {
    const place = offset === undefined ? read.placeOf(path) : read.placeInText(path, offset)
    problems.push({ file: read.file, ...place, message: `${path.join(".")}: ${message}` })
    return undefined
  }
  const context: CheckContext = { read, refuse }
  const { document } = read
  const topic = topics.find(({ name }) => name === document.on)
  if (topic === undefined) {
    refuse(["on"], `no topic "${document.on}": rules are about ${topics.map(({ name }) => name).join(", ")}`)
    return Result.fail(problems)
  }
  if (topic.eventTime === undefined) refuse(["on"], `${topic.name} has no event time, which every alert carries`)
  const key = keyField(context, topic)
  const window = checkWindow(context, topic, key)
  const shape = document.kind === "row" ? topic.shape : window?.shape
  // without the window's fields nothing more can be said
  if (shape === undefined) return Result.fail(problems)
  const author = checkCondition(context, ["when"], document.when, shape)
  const message = checkTemplate(context, shape)
  const source = withTimes(context, document.kind === "row" ? topic.eventTime : "window_end")
  if (problems.length > 0 || author === undefined || source === undefined) return Result.fail(problems)
  const condition = source === document.when ? author : checkCondition(context, ["when"], source, shape)
  if (condition === undefined || message === undefined || key === undefined) return Result.fail(problems)
  const reads = author.fields.flatMap((name) => shape.byName.get(name) ?? [])
  return Result.succeed({
    file: read.file,
    document,
    topic,
    shape,
    condition,
    reads,
    key,
    message,
    window: window?.window
  })
}
