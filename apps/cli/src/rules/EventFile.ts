/** Records for trying rules, read from a file and decoded as their topic would. */
import { readFile, stat } from "node:fs/promises"
import { ruleTopics } from "@frazil/flows"
import { decodeLines, evaluateRule, type AlertRecord, type PlacedRecord, type RuleSet } from "@frazil/rules"
import { Effect, Result } from "effect"
import { CommandError } from "../CommandError.ts"

const fileBytesMax = 256 * 1024 * 1024
const eventsMax = 500_000
const shownMax = 5

const readText = (file: string) =>
  Effect.tryPromise({
    try: async () => {
      const { size } = await stat(file)
      if (size > fileBytesMax) throw new RangeError(`it has ${size} bytes, at most ${fileBytesMax}`)
      return await readFile(file, "utf8")
    },
    catch: (error) =>
      new CommandError({
        message: `${file} cannot be read: ${error instanceof RangeError ? error.message : "give a file of JSON lines"}`
      })
  })

/** The records of the file, for the topic that the rules are about. */
export const readEvents = Effect.fnUntraced(function* (file: string, { rules }: RuleSet) {
  const names = [...new Set(rules.map(({ topic }) => topic.name))]
  const topic = ruleTopics.find(({ name }) => name === names[0])
  if (topic === undefined || names.length > 1) {
    return yield* new CommandError({
      message: `rules about one topic are tried at a time, these are about ${names.join(", ") || "none"}`
    })
  }
  const lines = (yield* readText(file)).split("\n").filter((line) => line.trim() !== "")
  if (lines.length > eventsMax) {
    return yield* new CommandError({ message: `${file} has ${lines.length} events, at most ${eventsMax}` })
  }
  const records = decodeLines(topic, lines)
  if (Result.isSuccess(records)) return records.success
  const first = records.failure.slice(0, shownMax).map(({ index, message }) => `event ${index + 1}: ${message}`)
  const more = records.failure.length - first.length
  return yield* new CommandError({
    message: `${file}: ${first.join("; ")}${more > 0 ? `; and ${more} more` : ""}`
  })
})

/** What each rule finds in the records. */
export const alertsByRule = (
  { rules }: RuleSet,
  records: ReadonlyArray<PlacedRecord>
): ReadonlyArray<readonly [rule: string, alerts: ReadonlyArray<AlertRecord>]> =>
  rules.map((rule) => [rule.document.id, evaluateRule(rule, records)] as const)
