/** Where a system's log is: in its data directory, or on a Kafka cluster. What `--log` says, read once. */

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export type LogPlace =
  | { readonly _tag: "Embedded" }
  | { readonly _tag: "Kafka"; readonly brokers: readonly [BrokerAddress, ...ReadonlyArray<BrokerAddress>] }

export const embeddedLog: LogPlace = { _tag: "Embedded" }

const address = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]/@\s]+)):(\d{1,5})$/

const brokerOf = (text: string): BrokerAddress | undefined => {
  const parts = address.exec(text)
  const port = Number(parts?.[3])
  const host = parts?.[1] ?? parts?.[2]
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

/** `embedded`, or `kafka://HOST:PORT[,HOST:PORT]`; undefined when it is neither. */
export const parseLogPlace = (text: string): LogPlace | undefined => {
  if (text === "embedded") return embeddedLog
  if (!text.startsWith("kafka://")) return undefined
  const [first, ...more] = text
    .slice("kafka://".length)
    .replace(/\/$/, "")
    .split(",")
    .map((each) => brokerOf(each))
  const others = more.filter((each) => each !== undefined)
  return first === undefined || others.length < more.length ? undefined : { _tag: "Kafka", brokers: [first, ...others] }
}
