using System.Collections.Frozen;
using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Manage;

/// <summary>The data from which a server answers: companies, keys and members at one moment.</summary>
/// <param name="Version">Rises with each change by any process.</param>
/// <param name="AllKeys">All keys, including revoked ones.</param>
/// <param name="Keys">Active keys, by the beginning of their hash.</param>
/// <param name="TokenKeys">Active token keys, by company.</param>
/// <param name="EndedLogins">Logins that were ended by logging out.</param>
internal sealed record RegistrySnapshot(
    long Version,
    FrozenDictionary<string, Company> Companies,
    IReadOnlyList<ApiKey> AllKeys,
    FrozenDictionary<ulong, (byte[] Hash, ApiKey Key)[]> Keys,
    FrozenDictionary<long, TokenKey[]> TokenKeys,
    FrozenDictionary<string, (string PasswordHash, string Stamp)> Members,
    FrozenSet<string> EndedLogins)
{
    public static readonly RegistrySnapshot Empty = new(
        -1,
        FrozenDictionary<string, Company>.Empty,
        [],
        FrozenDictionary<ulong, (byte[], ApiKey)[]>.Empty,
        FrozenDictionary<long, TokenKey[]>.Empty,
        FrozenDictionary<string, (string, string)>.Empty,
        FrozenSet<string>.Empty);

    public static RegistrySnapshot Read(Database database, SealingKey sealing, long version)
    {
        var keys = ReadKeys(database);
        return new(
            version,
            CompanyRows.Read(database).ToFrozenDictionary(company => company.CompanyId, StringComparer.Ordinal),
            [.. keys.Select(key => key.Key)],
            keys.Where(key => key.Key.RevokedAt is null).GroupBy(key => BitConverter.ToUInt64(key.Hash)).ToFrozenDictionary(keys => keys.Key, keys => keys.ToArray()),
            TokenKeyRows.Read(database, sealing).Where(key => key.RevokedAt is null).GroupBy(key => key.Company).ToFrozenDictionary(keys => keys.Key, keys => keys.ToArray()),
            ReadMembers(database).ToFrozenDictionary(member => member.Name, member => (member.PasswordHash, member.Stamp), StringComparer.Ordinal),
            ReadEndedLogins(database).ToFrozenSet(StringComparer.Ordinal));
    }

    public Company? Find(long number) => Companies.Values.FirstOrDefault(company => company.Number == number);

    /// <summary>Finds the company and scopes of an active key. The comparison takes the same time for right and wrong keys.</summary>
    public (Company Company, ApiKey Key)? FindKey(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key), hash);
        if (!Keys.TryGetValue(BitConverter.ToUInt64(hash), out var candidates)) return null;
        foreach (var (known, found) in candidates)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash) && Find(found.Company) is { } company) return (company, found);
        }

        return null;
    }

    private static List<(string Name, string PasswordHash, string Stamp)> ReadMembers(Database database)
    {
        var members = new List<(string, string, string)>();
        using var rows = database.Use("SELECT name, password_hash, stamp FROM member");
        while (rows.Next()) members.Add((rows.Text(0), rows.Text(1), rows.Text(2)));
        return members;
    }

    private static List<string> ReadEndedLogins(Database database)
    {
        var logins = new List<string>();
        using var rows = database.Use("SELECT login FROM ended_login");
        while (rows.Next()) logins.Add(rows.Text(0));
        return logins;
    }

    private static List<(byte[] Hash, ApiKey Key)> ReadKeys(Database database)
    {
        var keys = new List<(byte[], ApiKey)>();
        using var rows = database.Use("SELECT id, company, name, shown, hash, scopes, created_ms, revoked_ms FROM api_key ORDER BY id");
        while (rows.Next())
        {
            if (!ApiKey.TryParse(rows.Text(5), out var scopes)) scopes = Scopes.None;
            keys.Add((rows.Bytes(4).ToArray(), new(rows.Long(0), rows.Long(1), rows.Text(2), rows.Text(3), scopes, rows.Long(6), rows.LongOrNull(7))));
        }

        return keys;
    }
}
