/**
 * A topic's contract: the name, what its records are, what they are partitioned by, and which field is the event time.
 *
 * Flows read and write topics, feeders partition by them, landings make tables of them. A value without behaviour.
 */
import type { Schema } from "effect"
import type { FieldSpec } from "./schema/FieldType.ts"
import { RecordShape } from "./schema/RecordShape.ts"
import type { Timestamp } from "./Timestamp.ts"

/** Partitions of a topic unless it says otherwise. */
const partitionsDefault = 4
const partitionsMax = 1_024

export interface Topic<in out A, out Name extends string = string> {
  readonly name: Name
  readonly schema: Schema.Codec<A, unknown>
  readonly shape: RecordShape
  /** The fields whose values are the record's key, in order; empty when records have none. */
  readonly key: ReadonlyArray<string>
  /** The field that is the key of a record whose key field is null. */
  readonly keyElse: string | undefined
  readonly eventTime: string | undefined
  readonly partitions: number
}

/** Names of the fields of `A` whose values are all of type `V`. */
type FieldNamed<A, V> = { [F in keyof A]-?: A[F] extends V ? F : never }[keyof A] & string

export interface TopicOptions<A> {
  /**
   * Texts or integers that cannot be null. With several, the key is the JSON array of their values. With `else`, a text that
   * may be null, and the text that stands in for it. Undefined: no key.
   */
  readonly key:
    | FieldNamed<A, string | number>
    | ReadonlyArray<FieldNamed<A, string | number>>
    | { readonly field: FieldNamed<A, string | null | undefined>; readonly else: FieldNamed<A, string> }
    | undefined
  /** Records whose event time is before 2000 or from 2090 on do not decode. */
  readonly eventTime?: FieldNamed<A, Timestamp>
  readonly partitions?: number
  /** Refuse records with fields that the schema does not name, instead of keeping those. */
  readonly closed?: boolean
}

const namePattern = /^[A-Za-z0-9._-]{1,249}$/

const keyField = (topic: string, shape: RecordShape, name: string, nullable = false): FieldSpec => {
  const field = shape.byName.get(name)
  if (field === undefined) throw new TypeError(`topic ${topic}: its key "${name}" is no field`)
  if (nullable && field.type._tag === "Text") return field
  if (field.nullable || (field.type._tag !== "Text" && field.type._tag !== "Int")) {
    throw new TypeError(`topic ${topic}: its key "${name}" must be a text or an integer that cannot be null`)
  }
  return field
}

type KeyOption = string | ReadonlyArray<string> | { readonly field: string; readonly else: string } | undefined

/** The key's fields, and the one that stands in for it. */
const keyOf = (key: KeyOption): { readonly fields: ReadonlyArray<string>; readonly standIn: string | undefined } => {
  if (key === undefined) return { fields: [], standIn: undefined }
  if (typeof key === "string") return { fields: [key], standIn: undefined }
  return "field" in key ? { fields: [key.field], standIn: key.else } : { fields: key, standIn: undefined }
}

/** Declares a topic. A declaration that makes no sense throws a `TypeError` that says what is wrong. */
const make = <const Name extends string, S extends Schema.Codec<unknown, unknown>>(
  name: Name,
  options: { readonly schema: S } & TopicOptions<S["Type"]>
): Topic<S["Type"], Name> => {
  if (!namePattern.test(name)) throw new TypeError(`"${name}" is no topic name: letters, digits, . _ - only`)
  const shape = RecordShape.of(options.schema, { closed: options.closed ?? false })
  const { standIn, fields } = keyOf(options.key)
  const key = fields.map((field) => keyField(name, shape, field, standIn !== undefined).name)
  const keyElse = standIn === undefined ? undefined : keyField(name, shape, standIn).name
  const eventTime: string | undefined = options.eventTime
  const eventTimeField = eventTime === undefined ? undefined : shape.byName.get(eventTime)
  if (eventTime !== undefined && (eventTimeField?.type._tag !== "Timestamp" || eventTimeField.nullable)) {
    throw new TypeError(`topic ${name}: its event time "${eventTime}" must be a Field.timestamp that cannot be null`)
  }
  const partitions = options.partitions ?? partitionsDefault
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    throw new TypeError(`topic ${name}: it must have 1 to ${partitionsMax} partitions`)
  }
  return { name, schema: options.schema, shape, key, keyElse, eventTime, partitions }
}

export const Topic = { make } as const
