// Nexmark's queries in Flink SQL: nexmark-flink's, with a file as their source, names for every column, and no sinks.

/** nexmark-flink's table and views over a file of JSON; the watermark as there. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE nexmark (
    event_type INT,
    person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
      \`dateTime\` TIMESTAMP(3), extra STRING>,
    auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
      \`dateTime\` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
    bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, \`dateTime\` TIMESTAMP(3),
      extra STRING>,
    \`dateTime\` AS CASE WHEN event_type = 0 THEN person.\`dateTime\` WHEN event_type = 1 THEN auction.\`dateTime\`
      ELSE bid.\`dateTime\` END,
    WATERMARK FOR \`dateTime\` AS \`dateTime\` - INTERVAL '4' SECOND
  ) WITH ('connector' = 'filesystem', 'path' = '\${FILE}', 'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601')`,
  `CREATE VIEW person AS SELECT person.id, person.name, person.emailAddress, person.creditCard, person.city,
    person.state, \`dateTime\`, person.extra FROM nexmark WHERE event_type = 0`,
  `CREATE VIEW auction AS SELECT auction.id, auction.itemName, auction.description, auction.initialBid,
    auction.reserve, \`dateTime\`, auction.expires, auction.seller, auction.category, auction.extra
    FROM nexmark WHERE event_type = 1`,
  `CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, \`dateTime\`, bid.extra
    FROM nexmark WHERE event_type = 2`,
  `CREATE VIEW auction_or_bid AS SELECT CASE WHEN event_type = 1 THEN auction.id ELSE bid.auction END AS auction,
    event_type, bid.bidder, bid.price, \`dateTime\` FROM nexmark WHERE event_type <> 0`
]

const hot = `SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(\`dateTime\`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end`

const channelId = "REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)"

const winning = "A.id = B.auction AND B.`dateTime` BETWEEN A.`dateTime` AND A.expires"

export const flinkQueries = {
  q0: "SELECT auction, bidder, price, `dateTime`, extra FROM bid",
  q1: "SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid",
  q2: "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0",
  q3: `SELECT P.name, P.city, P.state, A.id FROM auction AS A INNER JOIN person AS P ON A.seller = P.id
    WHERE A.category = 10 AND (P.state = 'OR' OR P.state = 'ID' OR P.state = 'CA')`,
  q4: `SELECT Q.category, AVG(Q.final) AS final FROM (
      SELECT MAX(B.price) AS final, A.category FROM auction A, bid B WHERE ${winning} GROUP BY A.id, A.category
    ) Q GROUP BY Q.category`,
  q5: `SELECT AuctionBids.auction, AuctionBids.num FROM (${hot}) AS AuctionBids
    JOIN (
      SELECT max(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime FROM (${hot}) AS CountBids
      GROUP BY CountBids.starttime, CountBids.endtime
    ) AS MaxBids
    ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.endtime = MaxBids.endtime
      AND AuctionBids.num >= MaxBids.maxn`,
  q7: `SELECT B.auction, B.price, B.bidder, B.\`dateTime\`, B.extra FROM bid B JOIN (
      SELECT MAX(price) AS maxprice, window_end AS \`dateTime\`
      FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
    ) B1 ON B.price = B1.maxprice
    WHERE B.\`dateTime\` BETWEEN B1.\`dateTime\` - INTERVAL '10' SECOND AND B1.\`dateTime\``,
  q8: `SELECT P.id, P.name, P.starttime FROM (
      SELECT id, name, window_start AS starttime, window_end AS endtime
      FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND))
      GROUP BY id, name, window_start, window_end
    ) P JOIN (
      SELECT seller, window_start AS starttime, window_end AS endtime
      FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND))
      GROUP BY seller, window_start, window_end
    ) A ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime`,
  q9: `SELECT id, itemName, description, initialBid, reserve, \`dateTime\`, expires, seller, category, extra, auction, bidder,
      price, bid_dateTime, bid_extra FROM (
      SELECT A.*, B.auction, B.bidder, B.price, B.\`dateTime\` AS bid_dateTime, B.extra AS bid_extra,
        ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.\`dateTime\` ASC) AS rownum
      FROM auction A, bid B WHERE ${winning}
    ) WHERE rownum <= 1`,
  q11: `SELECT B.bidder, count(*) AS bid_count, SESSION_START(B.\`dateTime\`, INTERVAL '10' SECOND) AS starttime,
      SESSION_END(B.\`dateTime\`, INTERVAL '10' SECOND) AS endtime
    FROM bid B GROUP BY B.bidder, SESSION(B.\`dateTime\`, INTERVAL '10' SECOND)`,
  // count_char is a function of nexmark-flink's; this is what it counts
  q14: `SELECT auction, bidder, 0.908 * price AS price,
      CASE WHEN HOUR(\`dateTime\`) >= 8 AND HOUR(\`dateTime\`) <= 18 THEN 'dayTime'
        WHEN HOUR(\`dateTime\`) <= 6 OR HOUR(\`dateTime\`) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType,
      \`dateTime\`, extra, CHAR_LENGTH(extra) - CHAR_LENGTH(REPLACE(extra, 'c', '')) AS c_counts
    FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`,
  q18: `SELECT auction, bidder, price, channel, url, \`dateTime\`, extra FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY \`dateTime\` DESC) AS rank_number FROM bid
    ) WHERE rank_number <= 1`,
  q19: `SELECT auction, bidder, price, channel, url, \`dateTime\`, extra, rank_number FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid
    ) WHERE rank_number <= 10`,
  q20: `SELECT auction, bidder, price, channel, url, B.\`dateTime\` AS bid_dateTime, B.extra AS bid_extra, itemName,
      description, initialBid, reserve, A.\`dateTime\` AS auction_dateTime, expires, seller, category,
      A.extra AS auction_extra
    FROM bid AS B INNER JOIN auction AS A ON B.auction = A.id WHERE A.category = 10`,
  q21: `SELECT auction, bidder, price, channel, CASE WHEN lower(channel) = 'apple' THEN '0'
        WHEN lower(channel) = 'google' THEN '1' WHEN lower(channel) = 'facebook' THEN '2'
        WHEN lower(channel) = 'baidu' THEN '3' ELSE ${channelId} END AS channel_id
    FROM bid WHERE ${channelId} IS NOT NULL OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')`,
  q22: `SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2,
      SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid`,
  // three bids in a row on one auction within 10 seconds, each higher than the one before and by another bidder than that
  raised: `SELECT auction, price1, price2, price3, starttime, endtime FROM bid MATCH_RECOGNIZE (
      PARTITION BY auction ORDER BY \`dateTime\`
      MEASURES A.price AS price1, B.price AS price2, C.price AS price3, A.\`dateTime\` AS starttime,
        C.\`dateTime\` AS endtime
      ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
      PATTERN (A B C) WITHIN INTERVAL '10' SECOND
      DEFINE B AS B.price > A.price AND B.bidder <> A.bidder, C AS C.price > B.price AND C.bidder <> B.bidder
    )`,
  // an auction opens, and within 10 seconds its first bidder has bid three times, whatever comes between
  eager: `SELECT auction, bidder, price1, price2, price3, opened, endtime FROM auction_or_bid MATCH_RECOGNIZE (
      PARTITION BY auction ORDER BY \`dateTime\`
      MEASURES A.bidder AS bidder, A.price AS price1, B.price AS price2, C.price AS price3, O.\`dateTime\` AS opened,
        C.\`dateTime\` AS endtime
      ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW
      PATTERN (O W*? A X*? B Y*? C) WITHIN INTERVAL '10' SECOND
      DEFINE O AS event_type = 1, W AS event_type <> 2, A AS event_type = 2,
        X AS event_type <> 2 OR bidder <> A.bidder, B AS event_type = 2 AND bidder = A.bidder,
        Y AS event_type <> 2 OR bidder <> A.bidder, C AS event_type = 2 AND bidder = A.bidder
    )`
} as const
