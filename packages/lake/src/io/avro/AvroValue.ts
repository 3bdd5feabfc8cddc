/**
 * Values as the Avro codec gives and takes them: int, float, double → number · long → bigint · bytes, fixed → Uint8Array ·
 * record → object by field name · array → list · map → Map · null or absent optional → null.
 */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ReadonlyArray<AvroValue>
  | ReadonlyMap<string, AvroValue>
  | AvroRecord

export interface AvroRecord {
  readonly [field: string]: AvroValue
}
