/**
 * The kinds of fields a record can have: Effect Schemas that also say, as plain data, what they are.
 *
 * Records are written as `Schema.Struct({ amount: Field.decimal(18, 2), … })`; `RecordShape` reads the plain data, from
 * which the scanner, the encoder, expressions and tables are made. A schema's decoding is the authority: the scanner must
 * agree with it.
 *
 * **Gotchas**: checks go into a field's options. A `.check(…)` added to a field is refused by `RecordShape`, since the
 * scanner would not know of it.
 */
import { Effect, Schema, type SchemaAST, SchemaIssue, SchemaTransformation } from "effect"
import { CalendarDate } from "../CalendarDate.ts"
import { Decimal, decimalPrecisionMax } from "../Decimal.ts"
import { Timestamp } from "../Timestamp.ts"
import type { FieldSpec, FieldType, TextFormat } from "./FieldType.ts"
import {
  checkDecimal,
  numberDigitsMax,
  ProblemFound,
  readBoolean,
  readDate,
  readDecimal,
  readNumber,
  readText,
  readTimestamp
} from "./FieldValue.ts"

/** What a field's schema carries, beside being a schema. */
export type FieldAnnotation = Pick<FieldSpec, "type" | "nullable" | "personal" | "hiddenFromRules">

const fieldAnnotationKey = "@frazil/core/Field"
/** On the issue of a failed field: its machine word. */
export const reasonAnnotationKey = "@frazil/core/DecodeReason"

/** A field whose JSON value `E` decodes to `T`. */
export type Field<T, E> = Schema.Codec<T, E>
/** A field that may be absent or null. */
export type OptionalField<T, E> = Schema.optionalKey<Schema.NullOr<Schema.Codec<T, E>>>

/** Longest text of a field unless it says otherwise: a record has at most 1 MB. */
const textBytesMax = 1_048_576

const makeField = <T, E>(
  type: FieldType,
  is: (value: unknown) => value is T,
  decode: (value: unknown) => T | ProblemFound,
  encode: (value: T) => E | ProblemFound
): Field<T, E> => {
  const run = <A>(outcome: A | ProblemFound): Effect.Effect<A, SchemaIssue.Issue> =>
    outcome instanceof ProblemFound
      ? Effect.fail(
          new SchemaIssue.InvalidValue({
            message: outcome.problem.message,
            [reasonAnnotationKey]: outcome.problem.reason
          })
        )
      : Effect.succeed(outcome)
  const annotation: FieldAnnotation = { type, nullable: false, personal: false, hiddenFromRules: false }
  // the encoded side is read by `decode`, which checks it: Unknown stands for E here
  const encoded = Schema.Unknown as unknown as Schema.Codec<E>
  return encoded.pipe(
    Schema.decodeTo(
      Schema.declare(is),
      SchemaTransformation.transformEffect<T, E>({
        decode: (value) => run(decode(value)),
        encode: (value) => run(encode(value))
      })
    ),
    Schema.annotate({ [fieldAnnotationKey]: annotation })
  )
}

const isString = (value: unknown): value is string => typeof value === "string"
const isNumber = (value: unknown): value is number => typeof value === "number"

const textField = <A extends string>(type: Extract<FieldType, { readonly _tag: "Text" }>): Field<A, string> =>
  makeField<A, string>(
    type,
    // every text that `readText` lets through is an A: one of `values`, or any string
    (value): value is A => isString(value) && !(readText(type, value) instanceof ProblemFound),
    (value) => readText(type, value) as A | ProblemFound,
    (value) => value
  )

const formatted = (format: TextFormat, lengthMax: number) =>
  textField<string>({ _tag: "Text", format, values: undefined, lengthMax })

/** Free text. Longer than `lengthMax` bytes of UTF-8 is `out_of_range`. */
const text = (options?: { readonly lengthMax?: number }): Field<string, string> =>
  textField({ _tag: "Text", format: undefined, values: undefined, lengthMax: options?.lengthMax ?? textBytesMax })

/** One of the texts listed; another is `not_allowed`. */
const oneOf = <const V extends readonly [string, ...ReadonlyArray<string>]>(values: V): Field<V[number], string> => {
  const lengthMax = Math.max(...values.map((value) => new TextEncoder().encode(value).length))
  return textField<V[number]>({ _tag: "Text", format: undefined, values, lengthMax })
}

/**
 * An exact decimal of `precision` digits, `scale` of them after the point. Arrives as a JSON number of at most 15
 * significant digits, or as a text. Zeros beyond the scale are dropped; other digits beyond it are `too_many_digits`.
 */
const decimal = <const S extends number>(
  precision: number,
  scale: S,
  options?: { readonly positive?: boolean }
): Field<Decimal<S>, number | string> => {
  if (!(Number.isInteger(precision) && precision >= 1 && precision <= decimalPrecisionMax)) {
    throw new RangeError(`Field.decimal: the precision must be 1 to ${decimalPrecisionMax}`)
  }
  if (!(Number.isInteger(scale) && scale >= 0 && scale <= precision)) {
    throw new RangeError("Field.decimal: the scale must be 0 to the precision")
  }
  const type = { _tag: "Decimal", precision, scale, positive: options?.positive ?? false } as const
  return makeField<Decimal<S>, number | string>(
    type,
    (value): value is Decimal<S> => value instanceof Decimal && value.scale === scale,
    // made with `scale`, hence a Decimal<S>
    (value) => readDecimal(type, value) as Decimal<S> | ProblemFound,
    (value) => {
      const checked = checkDecimal(type, value)
      if (checked instanceof ProblemFound) return checked
      const digits = String(value.unscaled).replace(/^-/, "").replace(/0+$/, "")
      return digits.length <= numberDigitsMax ? Number(value.toString()) : value.toString()
    }
  )
}

const timestamp: Field<Timestamp, string> = makeField<Timestamp, string>(
  { _tag: "Timestamp" },
  Timestamp.isTimestamp,
  readTimestamp,
  Timestamp.format
)

const date: Field<CalendarDate, string> = makeField<CalendarDate, string>(
  { _tag: "Date" },
  CalendarDate.isCalendarDate,
  readDate,
  CalendarDate.format
)

const numeric = (type: Extract<FieldType, { readonly _tag: "Int" | "Double" }>): Field<number, number> => {
  if (!(type.min <= type.max)) throw new RangeError("a number field's min must not exceed its max")
  return makeField<number, number>(
    type,
    (value): value is number => isNumber(value) && !(readNumber(type, value) instanceof ProblemFound),
    (value) => readNumber(type, value),
    (value) => value
  )
}

/** An integer within ±(2^53 − 1), or within the bounds given. `36.0` counts as 36. */
const int = (options?: { readonly min?: number; readonly max?: number }): Field<number, number> => {
  const min = options?.min ?? Number.MIN_SAFE_INTEGER
  const max = options?.max ?? Number.MAX_SAFE_INTEGER
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    throw new RangeError("Field.int: min and max must be integers within 2^53 - 1")
  }
  return numeric({ _tag: "Int", min, max })
}

/** A finite double, within the bounds given. Not for money. */
const double = (options?: { readonly min?: number; readonly max?: number }): Field<number, number> =>
  numeric({ _tag: "Double", min: options?.min ?? -Number.MAX_VALUE, max: options?.max ?? Number.MAX_VALUE })

const boolean: Field<boolean, boolean> = makeField<boolean, boolean>(
  { _tag: "Boolean" },
  (value): value is boolean => typeof value === "boolean",
  readBoolean,
  (value) => value
)

/** A nested value (array, object) of any schema. Records with one always take the slow path; its column is JSON text. */
const json = <T, E>(schema: Schema.Codec<T, E>): Field<T, E> => {
  const annotation: FieldAnnotation = {
    type: { _tag: "Json" },
    nullable: false,
    personal: false,
    hiddenFromRules: false
  }
  return schema.pipe(Schema.annotate({ [fieldAnnotationKey]: annotation }))
}

/** What a schema says about its field; undefined when `Field` did not make it, or a check was added to it. */
const fieldAnnotation = (schema: Schema.Constraint): FieldAnnotation | undefined => annotationOf(schema.ast)

// only `makeField`, `json`, `changed` and `optional` write under this key
export const annotationOf = (ast: SchemaAST.AST): FieldAnnotation | undefined =>
  ast.checks === undefined ? (ast.annotations?.[fieldAnnotationKey] as FieldAnnotation | undefined) : undefined

const requiredAnnotation = (schema: Schema.Constraint): FieldAnnotation => {
  const annotation = fieldAnnotation(schema)
  if (annotation === undefined) {
    throw new TypeError("a record's fields are made with Field.text, Field.decimal and so on, without .check(…)")
  }
  return annotation
}

const changed = <S extends Schema.Top>(field: S, change: Partial<FieldAnnotation>): S =>
  // an annotation does not change a schema's type
  field.annotate({ [fieldAnnotationKey]: { ...requiredAnnotation(field), ...change } }) as unknown as S

/** The field may be absent or null. Objects made from columns hold null for both. */
const optional = <T, E>(field: Field<T, E>): OptionalField<T, E> => {
  const annotation: FieldAnnotation = { ...requiredAnnotation(field), nullable: true }
  return Schema.optionalKey(Schema.NullOr(field).pipe(Schema.annotate({ [fieldAnnotationKey]: annotation })))
}

/** Marks personal data: refused in targets that do not declare it. */
const personal = <S extends Schema.Top>(field: S): S => changed(field, { personal: true })

/** Rules cannot read the field. */
const hiddenFromRules = <S extends Schema.Top>(field: S): S => changed(field, { hiddenFromRules: true })

export const Field = {
  text,
  /** A UUID in its usual form, upper or lower case, kept as written. */
  uuid: formatted("uuid", 36),
  ipv4: formatted("ipv4", 15),
  /** Two capital letters, as ISO-3166 alpha-2 codes are. */
  alpha2: formatted("alpha2", 2),
  /** Three capital letters, as ISO-4217 codes are. */
  alpha3: formatted("alpha3", 3),
  /** Nine digits, as social security numbers are. */
  digits9: formatted("digits9", 9),
  oneOf,
  decimal,
  timestamp,
  date,
  int,
  double,
  boolean,
  json,
  optional,
  personal,
  hiddenFromRules
} as const
