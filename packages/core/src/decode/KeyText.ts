/**
 * The text of a record's key: what partitions are chosen by.
 *
 * One key field gives its value as text, several give the JSON array of their values.
 */
import type { Topic } from "../Topic.ts"

/** The key's text from its fields' values, in the topic's order. */
export const keyText = (values: ReadonlyArray<string | number>): string =>
  values.length === 1 ? String(values[0]) : JSON.stringify(values)

/** Makes the function that gives a record's key; null for topics without one. */
export const makeKeyOf = <A>(topic: Topic<A>): ((record: A) => string | null) => {
  const { key, keyElse } = topic
  if (key.length === 0) return () => null
  // Topic.make made sure that these fields are texts or integers of A, and that only one with a stand-in may be null
  const values = (record: A) => record as Readonly<Record<string, string | number>>
  return (record) => keyText(key.map((name) => values(record)[name] ?? values(record)[keyElse!]!))
}
