// Files of transactions for the tests, from a seed: some out of order, some nasty.
export interface LinesOptions {
  readonly seed: number
  readonly count: number
  /** A third of the records are up to so much earlier than those before them. */
  readonly spreadMs: number
  /** How much later the next record is, at most. */
  readonly stepMsMax: number
}

const startMs = Date.UTC(2026, 0, 14, 23, 45)

/** A generator of its own: xorshift32. */
const makeBelow = (seed: number) => {
  let state = seed * 2_654_435_761 || 1
  return (bound: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

const categories = ["grocery", "gambling", "crypto", "fuel", "jewelry"]
// around the rules' bounds, and as much as a JSON number may hold
const amounts = ["0.01", "12.5", "800", "800.00", "800.01", "10000", "10000.00", "10000.01", "99", "9999999999999.99"]

const uuidOf = (index: number) => `019bbee5-f83f-7421-b188-${index.toString(16).padStart(12, "0")}`

export const transaction = (index: number, ms: number, changed: Readonly<Record<string, string>> = {}): string => {
  const members = {
    transaction_id: JSON.stringify(uuidOf(index)),
    account_id: '"ACC1"',
    amount: "1.25",
    currency: '"USD"',
    type: '"purchase"',
    merchant_id: '"M1"',
    merchant_category: '"grocery"',
    country: '"US"',
    city: '"Oslo"',
    lat: "59.9",
    lon: "-0.5",
    channel: '"pos"',
    device_id: '"d"',
    ip: '"1.2.3.4"',
    event_timestamp: JSON.stringify(new Date(ms).toISOString()),
    ...changed
  }
  return `{${Object.entries(members)
    .map(([name, value]) => `"${name}":${value}`)
    .join(",")}}`
}

/** One way to break or bend the line; most lines stay as they are. */
const bent = (line: string, way: number): string => {
  const ways = [
    line.slice(0, -40),
    line.replace('"account_id"', '"account"'),
    line.replace('"amount":', '"amount":-'),
    line.replace(/"amount":[^,]+/, '"amount":0'),
    line.replace(/"amount":[^,]+/, '"amount":1.005'),
    line.replace('"US"', "7"),
    `${line}\r`,
    ` ${line.replaceAll('":', '" : ')}`,
    line.replace("Oslo", 'Z\\u00fcrich \\"x\\" 🏔'),
    "",
    "[1,2]",
    "null",
    line.replace("Oslo", "o".repeat(200_000))
  ]
  return ways[way] ?? line
}

export const transactionLines = ({ count, seed, spreadMs, stepMsMax }: LinesOptions): string => {
  const below = makeBelow(seed)
  let now = startMs
  const lines: Array<string> = []
  for (let index = 0; index < count; index++) {
    now += below(stepMsMax)
    const pick = (values: ReadonlyArray<string>) => JSON.stringify(values[below(values.length)])
    const line = transaction(index, now - (below(3) === 0 ? below(spreadMs) : 0), {
      account_id: pick(["ACC1", "ACC1", "ACC2", "ACC3", "Ünal, 1", "😀", "\uffee"]),
      amount: amounts[below(amounts.length)]!,
      currency: pick(["USD", "USD", "EUR"]),
      type: pick(["purchase", "refund", "withdrawal", "transfer"]),
      merchant_category: pick(categories),
      country: pick(["US", "US", "US", "DE"])
    })
    lines.push(bent(line, below(300)))
  }
  return lines.map((line) => `${line}\n`).join("")
}
