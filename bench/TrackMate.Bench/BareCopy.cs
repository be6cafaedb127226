using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace TrackMate.Bench;

/// <summary>The baseline of batches on PostgreSQL: one loop that copies the same rows in binary, 100 a transaction, into a table with the keys that an event needs.</summary>
internal static class BareCopy
{
    private const int RowsPerCommit = 100;

    public static int Run(string connectionString, int seconds)
    {
        using var connection = new NpgsqlConnection(connectionString);
        connection.Open();
        Execute(connection, """
            DROP TABLE IF EXISTS bare_message;
            CREATE TABLE bare_message (company bigint NOT NULL, id bigint NOT NULL, at bigint NOT NULL, received_ms bigint NOT NULL, session bigint, origin smallint NOT NULL,
              event_id text COLLATE "C" NOT NULL, type text COLLATE "C", data text COLLATE "C" NOT NULL, context text COLLATE "C", PRIMARY KEY (company, id));
            CREATE UNIQUE INDEX bare_message_by_event_id ON bare_message (company, origin, event_id);
            CREATE INDEX bare_message_by_session ON bare_message (company, session, at, event_id) WHERE session IS NOT NULL
            """);

        var data = """{"address":"https://shop.example/product/headphones","productInfos":[{"productId":"PROD-001","productName":"Wireless Headphones","price":79.99}]}""";
        var context = """{"page":{"address":"https://shop.example/product/headphones","referrer":"https://search.example/","title":"Wireless Headphones"},"language":"en-GB","screen":{"width":1440,"height":900}}""";
        var rows = 0L;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            using var transaction = connection.BeginTransaction();
            using (var copy = connection.BeginBinaryImport("COPY bare_message (company, id, at, received_ms, session, origin, event_id, type, data, context) FROM STDIN (FORMAT BINARY)"))
            {
                for (var i = 0; i < RowsPerCommit; i++, rows++)
                {
                    copy.StartRow();
                    copy.Write(1L, NpgsqlDbType.Bigint);
                    copy.Write(rows, NpgsqlDbType.Bigint);
                    copy.Write(1_760_000_000_000 + rows, NpgsqlDbType.Bigint);
                    copy.Write(1_760_000_000_000 + rows, NpgsqlDbType.Bigint);
                    copy.Write(rows / RowsPerCommit, NpgsqlDbType.Bigint);
                    copy.Write((short)0, NpgsqlDbType.Smallint);
                    copy.Write($"0192a3b4-{rows >> 16:x4}-7000-8000-{rows:x12}", NpgsqlDbType.Text);
                    copy.Write("page_view", NpgsqlDbType.Text);
                    copy.Write(data, NpgsqlDbType.Text);
                    copy.Write(context, NpgsqlDbType.Text);
                }

                copy.Complete();
            }

            transaction.Commit();
        }

        Console.WriteLine($"{rows / watch.Elapsed.TotalSeconds:0}");
        Execute(connection, "DROP TABLE bare_message");
        return 0;
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
