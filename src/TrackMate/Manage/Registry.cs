using System.Collections.Frozen;
using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Write;

namespace TrackMate.Manage;

/// <summary>
/// Companies, their keys, and the people who may log in. A running server answers from what it last read, and reads again within a second of a change, whichever
/// process made it.
/// </summary>
internal sealed class Registry : IDisposable
{
    private readonly Database database;
    private readonly SealingKey sealing;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private volatile Snapshot snapshot = Snapshot.Empty;

    private sealed record Snapshot(
        long Version, FrozenDictionary<string, Company> Companies, FrozenDictionary<ulong, (byte[] Hash, ApiKey Key)[]> Keys, FrozenDictionary<long, TokenKey[]> TokenKeys)
    {
        public static readonly Snapshot Empty = new(-1, FrozenDictionary<string, Company>.Empty, FrozenDictionary<ulong, (byte[], ApiKey)[]>.Empty, FrozenDictionary<long, TokenKey[]>.Empty);
    }

    private Registry(Database database, SealingKey sealing, TimeProvider time)
    {
        this.database = database;
        this.sealing = sealing;
        this.time = time;
    }

    /// <summary>Opens the registry of an installation, whether or not a server runs on it.</summary>
    public static Registry Open(Engine engine, SealingKey sealing, TimeProvider time)
    {
        var registry = new Registry(engine.Open(), sealing, time);
        registry.Refresh();
        return registry;
    }

    public IReadOnlyCollection<Company> Companies => [.. snapshot.Companies.Values.OrderBy(company => company.Number)];

    public Company? Find(string companyId) => snapshot.Companies.GetValueOrDefault(companyId);

    public Company? Find(long number) => snapshot.Companies.Values.FirstOrDefault(company => company.Number == number);

    /// <summary>Finds the company and scopes of a key that is not revoked; the comparison takes the same time however much of it is right.</summary>
    public (Company Company, ApiKey Key)? FindKey(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key), hash);
        if (!snapshot.Keys.TryGetValue(BitConverter.ToUInt64(hash), out var candidates)) return null;
        foreach (var (known, found) in candidates)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash) && Find(found.Company) is { } company) return (company, found);
        }

        return null;
    }

    /// <summary>Reads what changed since the last time.</summary>
    public void Refresh()
    {
        lock (gate)
        {
            using var version = database.Use("SELECT version FROM registry_version");
            version.Next();
            if (version.Long(0) == snapshot.Version) return;
            snapshot = new(
                version.Long(0),
                CompanyRows.Read(database).ToFrozenDictionary(company => company.CompanyId, StringComparer.Ordinal),
                ReadKeys().Where(key => key.Key.RevokedAt is null).GroupBy(key => BitConverter.ToUInt64(key.Hash)).ToFrozenDictionary(keys => keys.Key, keys => keys.ToArray()),
                TokenKeyRows.Read(database, sealing).Where(key => key.RevokedAt is null).GroupBy(key => key.Company).ToFrozenDictionary(keys => keys.Key, keys => keys.ToArray()));
        }
    }

    /// <exception cref="InvalidOperationException">There is a company of that id.</exception>
    public Company AddCompany(string companyId, string name)
    {
        if (Find(companyId) is not null) throw new InvalidOperationException($"There is a company {companyId} already.");
        Change(() => database.Use("INSERT INTO company (company_id, name, secret, settings, created_ms) VALUES (?, ?, ?, ?, ?)")
            .With(companyId).With(name).WithBlob(RandomNumberGenerator.GetBytes(32)).With(CompanyRows.Write(new())).With(Now()).Run());
        return Find(companyId)!;
    }

    /// <summary>Changes what a company has chosen, and derives anew what hangs on it: server sessions on the gap, revenue on the types that pay.</summary>
    /// <param name="secret">Of a company that has received nothing yet: what keys its ids from now on; null leaves it.</param>
    public void Set(Company company, string name, CompanySettings settings, byte[]? secret = null) => Change(() => Write(company, name, settings, secret), company);

    /// <summary>Gives a company that has received nothing yet other settings, and another secret where one is given.</summary>
    /// <returns>False, and nothing is changed, where it has received messages.</returns>
    public bool SetUnlessReceived(Company company, CompanySettings settings, byte[]? secret)
    {
        var isNew = false;
        Change(() =>
        {
            // In the transaction: a message must not come in under one secret just before there is another.
            using (var found = database.Use("SELECT EXISTS (SELECT 1 FROM message WHERE company = ?)"))
            {
                found.With(company.Number).Next();
                isNew = found.Long(0) == 0;
            }

            if (isNew) Write(company, company.Name, settings, secret);
        }, company);
        return isNew;
    }

    private void Write(Company company, string name, CompanySettings settings, byte[]? secret)
    {
        database.Use("UPDATE company SET name = ?, settings = ? WHERE id = ?").With(name).With(CompanyRows.Write(settings)).With(company.Number).Run();
        if (secret is not null) database.Use("UPDATE company SET secret = ? WHERE id = ?").WithBlob(secret).With(company.Number).Run();
        var changed = company with { Name = name, Settings = settings };
        if (settings.NewSessionsPerDay != company.Settings.NewSessionsPerDay) Rebuild.Claims(database, changed);
        else if (settings.MaxEmailsPerPerson != company.Settings.MaxEmailsPerPerson) Rebuild.Persons(database, changed);
        if (settings.ServerSessionGapMinutes != company.Settings.ServerSessionGapMinutes) Rebuild.ServerRuns(database, changed);
        if (!settings.PaymentTypes.SequenceEqual(company.Settings.PaymentTypes) || !settings.RefundTypes.SequenceEqual(company.Settings.RefundTypes) || settings.Currency != company.Settings.Currency)
            Rebuild.Ledger(database, changed);
    }

    /// <summary>Adds a key and returns it: the only time it is seen.</summary>
    /// <param name="given">A key to take as it is, of 32 characters or more; none makes a new one.</param>
    public string AddKey(Company company, string name, Scopes scopes, string? given = null)
    {
        var key = given ?? ApiKey.New();
        Change(() => database.Use("INSERT INTO api_key (company, name, shown, hash, scopes, created_ms) VALUES (?, ?, ?, ?, ?, ?)")
            .With(company.Number).With(name).With(ApiKey.ShownOf(key)).WithBlob(ApiKey.HashOf(key)).With(ApiKey.Write(scopes)).With(Now()).Run());
        return key;
    }

    public bool IsRevoked(string key)
    {
        lock (gate)
        {
            using var revoked = database.Use("SELECT EXISTS (SELECT 1 FROM api_key WHERE hash = ? AND revoked_ms IS NOT NULL)");
            revoked.WithBlob(ApiKey.HashOf(key)).Next();
            return revoked.Long(0) == 1;
        }
    }

    /// <returns>False where the company has no such key in force.</returns>
    public bool RevokeKey(Company company, long number)
    {
        var revoked = 0;
        Change(() => revoked = database.Use("UPDATE api_key SET revoked_ms = ? WHERE id = ? AND company = ? AND revoked_ms IS NULL")
            .With(Now()).With(number).With(company.Number).RunCounted());
        return revoked > 0;
    }

    public IReadOnlyList<ApiKey> KeysOf(Company company)
    {
        lock (gate) return [.. ReadKeys().Select(key => key.Key).Where(key => key.Company == company.Number)];
    }

    /// <summary>The keys in force that a company signs its tokens with.</summary>
    public IReadOnlyList<TokenKey> TokenKeysInForce(Company company) => snapshot.TokenKeys.GetValueOrDefault(company.Number, []);

    /// <summary>All of a company's token keys, revoked ones too.</summary>
    public IReadOnlyList<TokenKey> TokenKeysOf(Company company)
    {
        lock (gate) return [.. TokenKeyRows.Read(database, sealing).Where(key => key.Company == company.Number)];
    }

    /// <summary>Adds a key that tokens are signed with; the first one in force decides by which algorithm.</summary>
    /// <param name="key">The secret's UTF-8 bytes (HS256), or the public key (EdDSA).</param>
    /// <exception cref="CommandFailedException">Two are in force, the company signs otherwise, or there is a key of that kid.</exception>
    public void AddTokenKey(Company company, string kid, TokenAlgorithm algorithm, byte[] key) => Change(() =>
    {
        // Read anew inside the transaction: another process may have changed it.
        var current = CompanyRows.Read(database).Single(found => found.Number == company.Number);
        var all = TokenKeyRows.Read(database, sealing).Where(found => found.Company == company.Number).ToList();
        var inForce = all.Where(found => found.RevokedAt is null).ToList();
        if (all.Exists(found => found.Kid == kid)) throw new CommandFailedException($"{company.CompanyId} has had a token key {kid} already; give another --kid, or leave it out.");
        if (inForce.Find(found => found.Algorithm != algorithm) is { } other)
            throw new CommandFailedException($"{company.CompanyId} signs its tokens with {other.Algorithm} (key {other.Kid}), and only one algorithm is in force at a time; revoke its keys before you add one of {algorithm}.");
        if (inForce.Count >= TokenKey.MostInForce)
            throw new CommandFailedException($"{company.CompanyId} has {inForce.Count} token keys in force, which is all it may; revoke one of {string.Join(", ", inForce.Select(found => found.Kid))} first.");

        TokenKeyRows.Add(database, sealing, company.Number, kid, algorithm, key, Now());
        database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(current.Settings with { TokenAlgorithm = algorithm })).With(company.Number).Run();
    });

    /// <summary>Puts a token key out of force and forgets it.</summary>
    /// <returns>False where the company has no such key in force.</returns>
    public bool RevokeTokenKey(Company company, string kid)
    {
        var revoked = 0;
        Change(() => revoked = database.Use("UPDATE token_key SET revoked_ms = ?, key = ? WHERE company = ? AND kid = ? AND revoked_ms IS NULL")
            .With(Now()).WithBlob([]).With(company.Number).With(kid).RunCounted());
        return revoked > 0;
    }

    /// <summary>Identifies without a valid token that were taken while the company observed, by what was wrong, over the last UTC days.</summary>
    public IReadOnlyList<(string Fault, long Identifies)> WithoutToken(Company company, int days)
    {
        lock (gate)
        {
            var counts = new List<(string, long)>();
            using var rows = database.Use("SELECT fault, SUM(identifies) FROM identify_without_token WHERE company = ? AND day > ? GROUP BY fault ORDER BY 2 DESC, 1");
            rows.With(company.Number).With(DayCounters.DayOf(Now()) - days);
            while (rows.Next()) counts.Add((rows.Text(0), rows.Long(1)));
            return counts;
        }
    }

    /// <returns>The password's hash and the stamp that cookies carry, or null for nobody.</returns>
    public (string PasswordHash, string Stamp)? FindMember(string name)
    {
        lock (gate)
        {
            using var member = database.Use("SELECT password_hash, stamp FROM member WHERE name = ?");
            return member.With(name).Next() ? (member.Text(0), member.Text(1)) : null;
        }
    }

    /// <summary>Sets a member's password; whoever is logged in with an older one is not any more.</summary>
    public void SetPassword(string name, string passwordHash) =>
        Change(() => database.Use("INSERT INTO member (name, password_hash, stamp) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, stamp = excluded.stamp")
            .With(name).With(passwordHash).With(RandomNumberGenerator.GetHexString(32)).Run());

    public void Dispose() => database.Dispose();

    /// <param name="rewritten">The company whose tables may be derived anew by it.</param>
    private void Change(Action change, Company? rewritten = null)
    {
        lock (gate)
        {
            database.BeginWrite(rewritten is null ? [] : [(rewritten.Number, Hold.Rewrite)]);
            try
            {
                change();
                database.Execute("UPDATE registry_version SET version = version + 1");
                database.Commit();
            }
            catch
            {
                database.Rollback();
                throw;
            }
        }

        Refresh();
    }

    private List<(byte[] Hash, ApiKey Key)> ReadKeys()
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

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
