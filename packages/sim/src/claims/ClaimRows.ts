/**
 * The statements that make the table of claims and fill it with made-up ones: the database makes the rows itself. Pure.
 *
 * Both databases understand them and give the same rows for a seed. Ids are `CL` and eight digits, from 1 on, as
 * `apps/generator payments` names them.
 */

export const claimsTable = `CREATE TABLE IF NOT EXISTS claims (
  claim_id VARCHAR PRIMARY KEY,
  member_id VARCHAR NOT NULL,
  claim_amount DECIMAL(10,2) NOT NULL,
  claim_status VARCHAR,
  created_date TIMESTAMP
)`

const membersCount = 5_000
/** One claim in three is over 10,000. */
const amountCents = 1_500_000
const amountCentsMin = 1_000
const minutes = 525_600

/** Claims that are there already stay as they are. */
export const claimRows = (claims: number, seed: number): string => {
  const mixed = (factor: number) => `(CAST(i AS BIGINT) * ${factor} + ${seed})`
  const cents = `(${mixed(48_271)} % ${amountCents} + ${amountCentsMin})`
  return `INSERT INTO claims
SELECT 'CL' || lpad(CAST(i AS VARCHAR), 8, '0'),
  'ME' || lpad(CAST(${mixed(7_919)} % ${membersCount} AS VARCHAR), 6, '0'),
  CAST(CAST(${cents} AS DECIMAL(12,2)) / 100 AS DECIMAL(10,2)),
  CASE ${mixed(31)} % 4 WHEN 0 THEN 'open' WHEN 1 THEN 'approved' WHEN 2 THEN 'paid' END,
  TIMESTAMP '2025-01-01 00:00:00' + (${mixed(104_729)} % ${minutes}) * INTERVAL '1 minute'
FROM generate_series(1, ${claims}) AS numbers(i)
ON CONFLICT (claim_id) DO NOTHING`
}
