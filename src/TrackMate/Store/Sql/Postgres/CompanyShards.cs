using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Where Citus keeps a company: a machine, and the pieces (shards) of the tables there that hold the company's rows. Companies of one shard share it.
/// </summary>
/// <param name="Group">Of the machine, as Citus numbers them; 0 is the coordinator.</param>
/// <param name="Shard">Of the table <c>message</c>: Citus moves and splits the shards of all tables together with it.</param>
/// <param name="Tables">The names of the shards by those of their tables.</param>
internal sealed partial record CompanyShards(string Host, int Port, int Group, long Shard, FrozenDictionary<string, string> Tables)
{
    /// <summary>Of the installation; they lie on the coordinator alone.</summary>
    private static readonly FrozenSet<string> OfInstallation =
        FrozenSet.Create("company", "api_key", "token_key", "member", "registry_version", "protection_key", "erasure", "erasure_part", "suppressed", "ended_login", "schema_version", "move_progress");

    /// <summary>What tells its machine from others.</summary>
    public (string Host, int Port) Machine => (Host, Port);

    /// <summary>Whether a statement is about the installation, so that only the coordinator can answer it.</summary>
    public static bool IsOfInstallation(string sql) => Names().Matches(sql).Any(name => OfInstallation.Contains(name.Groups["table"].Value));

    /// <summary>The statement as the worker takes it without Citus: each table by the name of its shard, known as the table within the statement.</summary>
    public string Place(string sql) => Names().Replace(sql, name =>
    {
        var table = name.Groups["table"].Value;
        if (!Tables.TryGetValue(table, out var shard)) return name.Value;
        var hasAlias = name.Groups["alias"].Success || name.Groups["verb"].Value == "COPY";
        return $"{name.Groups["verb"].Value}{name.Groups["space"].Value}{shard}{(hasAlias ? name.Groups["alias"].Value : $" AS {table}")}";
    });

    /// <summary>A table with what it is called within the statement, if that is another name. Names are in small letters, and the words of SQL in capitals.</summary>
    [GeneratedRegex(
        @"\b(?<verb>FROM|JOIN|INTO|UPDATE|COPY)(?<space>\s+)(?<table>[a-z_]+)\b(?!\()(?<alias>\s+(?:AS\s+)?[a-z]\w*)?",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Names();
}
