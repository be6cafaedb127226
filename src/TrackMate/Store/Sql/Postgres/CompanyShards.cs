using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// Where Citus keeps a company: a machine, and the shards of the tables there that hold the company's rows. Several companies may share a shard.
/// </summary>
/// <param name="Group">The machine's group number in Citus; 0 is the coordinator.</param>
/// <param name="Shard">The shard of the table <c>message</c>. Citus moves and splits the shards of all tables together with it.</param>
/// <param name="Tables">Names of shards by the names of their tables.</param>
internal sealed partial record CompanyShards(string Host, int Port, int Group, long Shard, FrozenDictionary<string, string> Tables)
{
    /// <summary>Tables of the installation, which lie on the coordinator only.</summary>
    private static readonly FrozenSet<string> OfInstallation =
        FrozenSet.Create("company", "api_key", "token_key", "member", "registry_version", "protection_key", "erasure", "erasure_part", "suppressed", "ended_login", "schema_version", "move_progress");

    /// <summary>Identifies the machine.</summary>
    public (string Host, int Port) Machine => (Host, Port);

    /// <summary>Whether a statement uses a table of the installation, so that only the coordinator can run it.</summary>
    public static bool IsOfInstallation(string sql) => Names().Matches(sql).Any(name => OfInstallation.Contains(name.Groups["table"].Value));

    /// <summary>The statement for the worker's plain PostgreSQL: each table is replaced by its shard, with the table's name as the alias.</summary>
    public string Place(string sql) => Names().Replace(sql, name =>
    {
        var table = name.Groups["table"].Value;
        if (!Tables.TryGetValue(table, out var shard)) return name.Value;
        var hasAlias = name.Groups["alias"].Success || name.Groups["verb"].Value == "COPY";
        return $"{name.Groups["verb"].Value}{name.Groups["space"].Value}{shard}{(hasAlias ? name.Groups["alias"].Value : $" AS {table}")}";
    });

    /// <summary>A table and its alias, if it has one. Names are written in lower case, and SQL keywords in upper case.</summary>
    [GeneratedRegex(
        @"\b(?<verb>FROM|JOIN|INTO|UPDATE|COPY)(?<space>\s+)(?<table>[a-z_]+)\b(?!\()(?<alias>\s+(?:AS\s+)?[a-z]\w*)?",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Names();
}
