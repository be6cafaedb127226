using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>A statement of PostgreSQL with its parameters. Its rows are read completely, or in pages of some hundred rows.</summary>
/// <param name="pipe">The connection: of the transaction's machine, or of the coordinator for tables of the installation.</param>
internal sealed partial class PostgresStatement(PostgresDatabase database, PostgresPipe pipe, string sql, bool isStream) : Statement
{
    private const int FetchedAtOnce = 500;

    private readonly List<NpgsqlParameter> parameters = [];
    private List<object?[]>? rows;
    private string? cursor;
    private int at = -1;
    private byte[]? encoded;

    public override Statement With(long value) => Add(new NpgsqlParameter<long> { TypedValue = value });

    public override Statement With(long? value) => value is { } number ? With(number) : Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = DBNull.Value });

    public override Statement With(string? value) => value is null ? WithNull() : Add(new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text });

    public override Statement WithText(ReadOnlySpan<byte> utf8) => With(Encoding.UTF8.GetString(utf8));

    public override Statement WithBlob(ReadOnlySpan<byte> bytes) => Add(new NpgsqlParameter<byte[]> { TypedValue = bytes.ToArray(), NpgsqlDbType = NpgsqlDbType.Bytea });

    public override Statement WithNull() => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = DBNull.Value });

    public override bool Next()
    {
        encoded = null;
        rows ??= isStream ? Declare() : pipe.Query(sql, parameters);
        if (++at < rows.Count) return true;
        if (cursor is null || rows.Count < FetchedAtOnce) return false;
        rows = Fetch();
        at = 0;
        return rows.Count > 0;
    }

    public override Lazy<T> Defer<T>(Func<Statement, T> read)
    {
        pipe.Add(sql, parameters, found => rows = found);
        return new(() =>
        {
            if (rows is null) pipe.Flush();
            return read(this);
        }, LazyThreadSafetyMode.None);
    }

    public override void Run() => pipe.Add(sql, parameters);

    /// <summary>On a Citus worker the table has no sequence, so the id must be given.</summary>
    public override void RunNumbered()
    {
        if (database.IsOnWorker) RunForNumber();
        else Run();
    }

    public override int RunCounted() => pipe.Change(sql, parameters);

    /// <summary>The id is taken before the row is written. So no round trip is needed for it, and on a Citus worker it still comes from the coordinator's sequence.</summary>
    public override long RunForNumber()
    {
        var insertion = Insertion().Match(sql);
        if (!insertion.Success) throw new InvalidOperationException($"This is no insertion of one row: {sql}");
        var number = database.NextNumber(insertion.Groups["table"].Value);
        With(number);
        pipe.Add($"{insertion.Groups["before"].Value}, id) VALUES ({insertion.Groups["values"].Value}, ${parameters.Count})", parameters);
        return number;
    }

    public override bool IsNull(int column) => rows![at][column] is null;

    public override long Long(int column) => rows![at][column] is { } value ? Number(value) : 0;

    public override string Text(int column) => (string)rows![at][column]!;

    public override ReadOnlySpan<byte> Bytes(int column) => rows![at][column] switch
    {
        byte[] bytes => bytes,
        string text => encoded = Encoding.UTF8.GetBytes(text),
        _ => default,
    };

    public override void Dispose()
    {
        if (cursor is not null) database.CloseCursor(cursor);
        cursor = null;
    }

    private PostgresStatement Add(NpgsqlParameter parameter)
    {
        parameters.Add(parameter);
        return this;
    }

    private List<object?[]> Declare()
    {
        cursor = database.OpenCursor();
        pipe.Add($"DECLARE {cursor} NO SCROLL CURSOR FOR {sql}", parameters);
        return Fetch();
    }

    private List<object?[]> Fetch() => pipe.Fetch(cursor!, FetchedAtOnce);

    private static long Number(object value) => value switch
    {
        long number => number,
        int number => number,
        short number => number,
        bool so => so ? 1 : 0,
        // SUM returns a decimal.
        decimal sum => (long)sum,
        _ => throw new InvalidCastException($"A {value.GetType().Name} is no number."),
    };

    [GeneratedRegex(@"^\s*(?<before>INSERT INTO (?<table>[a-z]+)(?:_[0-9]+ AS [a-z]+)? \([^)]*)\)\s*VALUES \((?<values>[^)]*)\)\s*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Insertion();
}
