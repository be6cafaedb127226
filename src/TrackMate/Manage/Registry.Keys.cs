using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Manage;

/// <summary>API keys, token keys and logins.</summary>
internal sealed partial class Registry
{
    /// <summary>Adds a key and returns it. It cannot be read again later.</summary>
    /// <param name="given">A supplied key of 32 characters or more; null generates one.</param>
    /// <param name="actor">Who adds it, for the audit log; null for the server's own start.</param>
    public string AddKey(Company company, string name, Scopes scopes, string? given = null, string? actor = null) => Change(() =>
    {
        var key = given ?? ApiKey.New();
        if (actor is not null)
        {
            Audit.Note(Database, company, actor, Now(), "key_add", detail =>
            {
                detail.WriteString("key", ApiKey.ShownOf(key));
                detail.WriteString("scopes", ApiKey.Write(scopes));
            });
        }

        Database.Use("INSERT INTO api_key (company, name, shown, hash, scopes, created_ms) VALUES (?, ?, ?, ?, ?, ?)")
            .With(company.Number).With(name).With(ApiKey.ShownOf(key)).WithBlob(ApiKey.HashOf(key)).With(ApiKey.Write(scopes)).With(Now()).Run();
        return key;
    });

    public bool IsRevoked(string key) => Run(() =>
    {
        using var revoked = Database.Use("SELECT EXISTS (SELECT 1 FROM api_key WHERE hash = ? AND revoked_ms IS NOT NULL)");
        revoked.WithBlob(ApiKey.HashOf(key)).Next();
        return revoked.Long(0) == 1;
    });

    /// <param name="actor">Who revokes it, for the audit log; null for the program itself.</param>
    /// <returns>False if the company has no such active key.</returns>
    public bool RevokeKey(Company company, long number, string? actor = null) => Change(() =>
    {
        var isRevoked = Database.Use("UPDATE api_key SET revoked_ms = ? WHERE id = ? AND company = ? AND revoked_ms IS NULL").With(Now()).With(number).With(company.Number).RunCounted() > 0;
        if (isRevoked && actor is not null)
        {
            var shown = KeysOf(company).First(key => key.Number == number).Shown;
            Audit.Note(Database, company, actor, Now(), "key_revoke", detail => detail.WriteString("key", shown));
        }

        return isRevoked;
    });

    /// <summary>All keys of a company, including revoked ones.</summary>
    public IReadOnlyList<ApiKey> KeysOf(Company company) => [.. snapshot.AllKeys.Where(key => key.Company == company.Number)];

    /// <summary>The active keys with which a company signs its tokens.</summary>
    public IReadOnlyList<TokenKey> TokenKeysInForce(Company company) => snapshot.TokenKeys.GetValueOrDefault(company.Number, []);

    /// <summary>All token keys of a company, including revoked ones.</summary>
    public IReadOnlyList<TokenKey> TokenKeysOf(Company company) =>
        Run<IReadOnlyList<TokenKey>>(() => [.. TokenKeyRows.Read(Database, sealing).Where(key => key.Company == company.Number)]);

    /// <summary>Adds a key that signs tokens. All active keys of a company have the same algorithm.</summary>
    /// <param name="key">The secret's UTF-8 bytes (HS256), or the public key (EdDSA).</param>
    /// <exception cref="CommandFailedException">Two keys are active already, the company uses another algorithm, or the kid exists.</exception>
    public void AddTokenKey(Company company, string kid, TokenAlgorithm algorithm, byte[] key) => Change(() =>
    {
        var all = TokenKeyRows.Read(Database, sealing).Where(found => found.Company == company.Number).ToList();
        var inForce = all.Where(found => found.RevokedAt is null).ToList();
        if (all.Exists(found => found.Kid == kid)) throw new CommandFailedException($"{company.CompanyId} has had a token key {kid} already; give another --kid, or leave it out.");
        if (inForce.Find(found => found.Algorithm != algorithm) is { } other)
            throw new CommandFailedException($"{company.CompanyId} signs its tokens with {other.Algorithm} (key {other.Kid}), and only one algorithm is in force at a time; revoke its keys before you add one of {algorithm}.");
        if (inForce.Count >= TokenKey.MostInForce)
            throw new CommandFailedException($"{company.CompanyId} has {inForce.Count} token keys in force, which is all it may; revoke one of {string.Join(", ", inForce.Select(found => found.Kid))} first.");

        // If this machine encrypted with another file, each server could read half of the keys and none could read all.
        if (TokenKeyRows.Read(Database, sealing).FirstOrDefault(found => found is { RevokedAt: null, Key: null }) is { } unreadable)
            throw new CommandFailedException($"{sealing.Path} is not the file that the token key {unreadable.Kid} was encrypted with, so none is added beside it. Copy that file here from the server that added it, or revoke the keys that cannot be read.");

        TokenKeyRows.Add(Database, sealing, company.Number, kid, algorithm, key, Now());
        Database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(Current(company).Settings with { TokenAlgorithm = algorithm })).With(company.Number).Run();
        return true;
    }, company);

    /// <summary>Revokes a token key and deletes its secret.</summary>
    /// <returns>False if the company has no such active key.</returns>
    public bool RevokeTokenKey(Company company, string kid) => Change(() =>
        Database.Use("UPDATE token_key SET revoked_ms = ?, key = ? WHERE company = ? AND kid = ? AND revoked_ms IS NULL").With(Now()).WithBlob([]).With(company.Number).With(kid).RunCounted() > 0);

    /// <summary>Identifies without a valid token that were accepted while the company observed tokens, by fault, over the last UTC days.</summary>
    public IReadOnlyList<(string Fault, long Identifies)> WithoutToken(Company company, int days) => Run(() =>
    {
        var counts = new List<(string, long)>();
        using var rows = Database.Use("SELECT fault, SUM(identifies) FROM identify_without_token WHERE company = ? AND day > ? GROUP BY fault ORDER BY 2 DESC, 1");
        rows.With(company.Number).With(UtcDay.Of(Now()) - days);
        while (rows.Next()) counts.Add((rows.Text(0), rows.Long(1)));
        return counts;
    });

    /// <returns>The password's hash and the stamp that cookies carry; null if there is no such member.</returns>
    public (string PasswordHash, string Stamp)? FindMember(string name) => snapshot.Members.TryGetValue(name, out var member) ? member : null;

    /// <summary>Sets a member's password. All logins with the older password end.</summary>
    public void SetPassword(string name, string passwordHash) => Change(() =>
    {
        Database.Use("INSERT INTO member (name, password_hash, stamp) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, stamp = excluded.stamp")
            .With(name).With(passwordHash).With(RandomNumberGenerator.GetHexString(32)).Run();
        return true;
    });

    /// <summary>Whether a login was ended by logging out.</summary>
    public bool IsEnded(string login) => snapshot.EndedLogins.Contains(login);

    /// <summary>Ends a login on every server.</summary>
    /// <param name="login">The login's random name.</param>
    /// <param name="remembered">How long a copy of its cookie could still be valid.</param>
    public void EndLogin(string login, TimeSpan remembered) => Change(() =>
    {
        Database.Use("DELETE FROM ended_login WHERE until_ms < ?").With(Now()).Run();
        Database.Use("INSERT INTO ended_login (login, until_ms) VALUES (?, ?) ON CONFLICT (login) DO NOTHING").With(login).With(Now() + (long)remembered.TotalMilliseconds).Run();
        return true;
    });
}
