using System.Collections.Concurrent;
using System.Text;
using TrackMate.Manage;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Sql.Sqlite;
using Xunit.v3;

namespace TrackMate.Tests.Running;

/// <summary>Marks tests of what only the embedded store has: its file, its steps, its verbs. A run on PostgreSQL leaves them out, by name.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class EmbeddedOnlyAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Store", "embedded")];
}

/// <summary>Marks tests that bring stores of their own, whichever one a run stands on: once is enough.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OwnStoreAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Store", "own")];
}

/// <summary>Marks tests about one PostgreSQL server without Citus: how its one connection is used, or cut. Where <c>TRACKMATE_TEST_CITUS</c> is set they are left out.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class PlainPostgresAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Database", "plain")];
}

/// <summary>Marks tests of what no store can change: pure rules, paths, widths of pages, arguments that are refused. Once is enough.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class NoStoreAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Store", "none")];
}

/// <summary>
/// Which store a run of the tests stands on: the embedded one, or with <c>TRACKMATE_TEST_STORE=postgres</c> PostgreSQL. There a data folder stands for a schema of
/// its own, so that whoever starts a server or a verb on the same folder again finds the same data.
/// </summary>
internal static class StoreUnderTest
{
    private static readonly ConcurrentDictionary<string, Lazy<(PostgresSchema Schema, Installation Installation)>> Kept = new(StringComparer.Ordinal);

    public static bool IsPostgres { get; } = Environment.GetEnvironmentVariable("TRACKMATE_TEST_STORE") switch
    {
        null or "" or "sqlite" => false,
        "postgres" => true,
        var other => throw new InvalidOperationException($"TRACKMATE_TEST_STORE is {other}; it may be sqlite or postgres."),
    };

    /// <summary>Whether this is <c>./test.sh --long</c>.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("TRACKMATE_LONG") == "1";

    /// <summary>How many random histories a test tries: <c>./test.sh --long</c> tries thirty times as many. On PostgreSQL each statement is a round trip: a quarter as many there.</summary>
    public static int Histories(int many) => int.TryParse(Environment.GetEnvironmentVariable("TRACKMATE_TEST_HISTORIES"), out var so) ? so : (IsLong, IsPostgres) switch
    {
        (true, false) => 30 * many,
        (true, true) => 3 * many,
        (false, true) => many / 4,
        _ => many,
    };

    public static Installation In(string dataFolder) => IsPostgres ? InSchema(dataFolder).Installation : Installation.In(dataFolder);

    /// <summary>The same for somebody who disposes it.</summary>
    public static Engine EngineOf(string dataFolder) => IsPostgres ? PostgresEngine.Of(InSchema(dataFolder).Schema.Connection) : new SqliteEngine(dataFolder);

    /// <summary>Rows of a store beside its server, all as text.</summary>
    /// <param name="sql">Its parameters are <c>?</c>.</param>
    public static List<string?[]> Read(string dataFolder, string sql, int columns, params string[] parameters)
    {
        using var database = In(dataFolder).Engine.OpenReader();
        using var rows = database.Use(string.Intern(sql));
        foreach (var parameter in parameters) rows.With(parameter);
        var read = new List<string?[]>();
        while (rows.Next()) read.Add([.. Enumerable.Range(0, columns).Select(column => rows.IsNull(column) ? null : Encoding.UTF8.GetString(rows.Bytes(column)))]);
        return read;
    }

    /// <summary>What a process has to be told beside its data folder; null where that is enough.</summary>
    public static string? DatabaseOf(string dataFolder) => IsPostgres ? InSchema(dataFolder).Schema.Connection : null;

    /// <summary>The folder is gone, and with it the data of all in it.</summary>
    public static void Drop(string folder)
    {
        foreach (var dataFolder in Kept.Keys.Where(kept => kept == folder || kept.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
        {
            if (!Kept.TryRemove(dataFolder, out var kept) || !kept.IsValueCreated) continue;
            kept.Value.Installation.Engine.Dispose();
            Task.Run(async () => await kept.Value.Schema.DisposeAsync()).GetAwaiter().GetResult();
        }
    }

    private static (PostgresSchema Schema, Installation Installation) InSchema(string dataFolder) => Kept.GetOrAdd(dataFolder, folder => new(() =>
    {
        var schema = Task.Run(() => PostgresSchema.CreateAsync()).GetAwaiter().GetResult();
        return (schema, new(PostgresEngine.Of(schema.Connection), folder));
    })).Value;
}
