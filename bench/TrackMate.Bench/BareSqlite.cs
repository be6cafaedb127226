using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace TrackMate.Bench;

/// <summary>The baseline of batches: one loop, one prepared INSERT, 100 rows a transaction, synchronous=FULL, the columns and the unique eventId that an event needs.</summary>
internal static class BareSqlite
{
    private const int RowsPerCommit = 100;

    public static int Run(string folder, int seconds)
    {
        Directory.CreateDirectory(folder);
        using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "bare.db")}");
        connection.Open();
        Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA cache_size=-65536");
        Execute(connection, """
            CREATE TABLE event (id INTEGER PRIMARY KEY, company INTEGER, event_id TEXT, session INTEGER, at INTEGER, received INTEGER, type TEXT, data TEXT, context TEXT);
            CREATE UNIQUE INDEX event_by_id ON event (company, event_id);
            CREATE INDEX event_by_session ON event (company, session, at)
            """);

        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO event (company, event_id, session, at, received, type, data, context) VALUES ($c, $e, $s, $a, $r, $t, $d, $x)";
        foreach (var name in new[] { "$c", "$e", "$s", "$a", "$r", "$t", "$d", "$x" }) insert.Parameters.Add(new SqliteParameter(name, null));
        insert.Prepare();

        var data = """{"address":"https://shop.example/product/headphones","productInfos":[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]}""";
        var context = """{"page":{"address":"https://shop.example/product/headphones","referrer":"https://search.example/","title":"Wireless Headphones"},"language":"en-GB","screen":{"width":1440,"height":900}}""";
        var rows = 0L;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            for (var i = 0; i < RowsPerCommit; i++, rows++)
            {
                insert.Parameters[0].Value = 1L;
                insert.Parameters[1].Value = $"0192a3b4-{rows >> 16:x4}-7000-8000-{rows:x12}";
                insert.Parameters[2].Value = rows / RowsPerCommit;
                insert.Parameters[3].Value = 1_760_000_000_000 + rows;
                insert.Parameters[4].Value = 1_760_000_000_000 + rows;
                insert.Parameters[5].Value = "page_view";
                insert.Parameters[6].Value = data;
                insert.Parameters[7].Value = context;
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        Console.WriteLine($"{rows / watch.Elapsed.TotalSeconds:0}");
        return 0;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
