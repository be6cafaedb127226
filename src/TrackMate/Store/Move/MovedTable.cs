using System.Text.Json;
using System.Text.Json.Nodes;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>The type of a column, independent of the engine.</summary>
internal enum ColumnKind
{
    Number,

    /// <summary>A number that PostgreSQL stores in two bytes.</summary>
    SmallNumber,
    Text,
    Bytes,
}

internal sealed record MovedColumn(string Name, ColumnKind Kind);

/// <summary>A table of one engine, and the statements that read it in chunks, in the order of its key.</summary>
internal sealed class MovedTable
{
    private readonly int[] key;
    private readonly string first;
    private readonly string following;
    private readonly string nextCompany;

    /// <param name="columns">In any order.</param>
    /// <param name="key">The column names of its primary key, in the order of the key; empty if it has no primary key.</param>
    public MovedTable(string name, IEnumerable<MovedColumn> columns, IReadOnlyList<string> key)
    {
        Name = name;
        Columns = [.. columns.OrderBy(column => column.Name, StringComparer.Ordinal)];
        this.key = [.. key.Select(part => Columns.FindIndex(column => column.Name == part))];
        // On Citus a query for one company goes to one machine, in the order of an index there.
        IsByCompany = key is ["company", _, ..];
        var ordered = key.Skip(IsByCompany ? 1 : 0).ToList();
        var (parts, places) = (string.Join(", ", ordered), string.Join(", ", ordered.Select(_ => "?")));
        var select = $"SELECT {ColumnNames} FROM {name}";
        var order = HasKey ? $" ORDER BY {parts} LIMIT ?" : "";
        first = select + (IsByCompany ? " WHERE company = ?" : "") + order;
        following = $"{select} WHERE {(IsByCompany ? "company = ? AND " : "")}({parts}) > ({places}){order}";
        if (ordered.Count == 1) following = $"{select} WHERE {(IsByCompany ? "company = ? AND " : "")}{parts} > ?{order}";
        nextCompany = $"SELECT MIN(company) FROM {name} WHERE company > ?";
        CountSql = $"SELECT COUNT(*) FROM {name}";
        AnySql = $"SELECT 1 FROM {name} LIMIT 1";
        InsertSql = $"INSERT INTO {name} ({ColumnNames}) VALUES ({string.Join(", ", Columns.Select(_ => "?"))})";
        ClearSql = $"DELETE FROM {name}";
    }

    public string Name { get; }

    /// <summary>Sorted by name, so that the order is the same in both stores.</summary>
    public List<MovedColumn> Columns { get; }

    /// <summary>A table without a primary key has a few rows and is copied at once.</summary>
    public bool HasKey => key.Length > 0;

    public bool IsByCompany { get; }

    public string ColumnNames => string.Join(", ", Columns.Select(column => column.Name));

    public string CountSql { get; }

    public string AnySql { get; }

    public string InsertSql { get; }

    public string ClearSql { get; }

    /// <summary>The rows after a key, in the order of the key. Fewer than <paramref name="most"/> rows mean the end of the table, or of the company if the key begins with one.</summary>
    /// <param name="after">The key of the last row that was read; null to start at the first row.</param>
    /// <param name="from">The company to read.</param>
    public Statement Read(Database database, JsonArray? after, long from, int most)
    {
        var rows = database.Stream(after is null ? first : following);
        if (IsByCompany) rows.With(from);
        for (var i = IsByCompany ? 1 : 0; after is not null && i < key.Length; i++) WithPart(rows, Columns[key[i]].Kind, after[i]!);
        return HasKey ? rows.With(most) : rows;
    }

    /// <summary>The next company that has rows in this table; null if there is none.</summary>
    public long? CompanyAfter(Database database, long company)
    {
        using var next = database.Use(nextCompany);
        return next.With(company).Next() ? next.LongOrNull(0) : null;
    }

    public long Count(Database database)
    {
        using var count = database.Use(CountSql);
        count.Next();
        return count.Long(0);
    }

    public bool IsEmpty(Database database)
    {
        using var any = database.Use(AnySql);
        return !any.Next();
    }

    /// <summary>The key of the statement's current row.</summary>
    public JsonArray KeyOf(Statement row) => new([.. key.Select(part => (JsonNode)(Columns[part].Kind switch
    {
        ColumnKind.Text => JsonValue.Create(row.Text(part)),
        ColumnKind.Bytes => JsonValue.Create(Convert.ToBase64String(row.Bytes(part))),
        _ => JsonValue.Create(row.Long(part)),
    }))]);

    /// <summary>The same as readable text: <c>company 1, id 7</c>.</summary>
    public string Describe(Statement row)
    {
        var values = KeyOf(row);
        return string.Join(", ", key.Select((part, i) => $"{Columns[part].Name} {values[i]!.ToJsonString()}"));
    }

    public static JsonArray? ReadKey(string text) => text.Length == 0 ? null : JsonNode.Parse(text)!.AsArray();

    public static string WriteKey(JsonArray? place) => place?.ToJsonString(JsonSerializerOptions.Default) ?? "";

    private static void WithPart(Statement rows, ColumnKind kind, JsonNode part) => _ = kind switch
    {
        ColumnKind.Text => rows.With(part.GetValue<string>()),
        ColumnKind.Bytes => rows.WithBlob(Convert.FromBase64String(part.GetValue<string>())),
        _ => rows.With(part.GetValue<long>()),
    };
}
