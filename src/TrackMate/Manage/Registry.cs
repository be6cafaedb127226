using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Manage;

/// <summary>How far the derivation of a changed setting is: so many of so many events, days or pairs.</summary>
internal readonly record struct RebuildProgress(RebuildPart Part, long Done, long Of);

/// <summary>
/// Companies, their keys, and the people who may log in. A running server answers from what it last read, and reads again within a second of a change, whichever
/// process made it.
/// </summary>
internal sealed class Registry : IDisposable
{
    private readonly Engine engine;
    private readonly SealingKey sealing;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private Database? open;
    private bool closed;
    private bool isAlone;
    private bool isChanged;
    private volatile RegistrySnapshot snapshot = RegistrySnapshot.Empty;

    private Registry(Engine engine, SealingKey sealing, TimeProvider time)
    {
        this.engine = engine;
        this.sealing = sealing;
        this.time = time;
    }

    /// <summary>Opens the registry of an installation, whether or not a server runs on it.</summary>
    public static Registry Open(Engine engine, SealingKey sealing, TimeProvider time)
    {
        var registry = new Registry(engine, sealing, time) { open = engine.Open() };
        registry.Refresh();
        return registry;
    }

    public IReadOnlyCollection<Company> Companies => [.. snapshot.Companies.Values.OrderBy(company => company.Number)];

    public Company? Find(string companyId) => snapshot.Companies.GetValueOrDefault(companyId);

    /// <inheritdoc cref="RegistrySnapshot.Find"/>
    public Company? Find(long number) => snapshot.Find(number);

    /// <inheritdoc cref="RegistrySnapshot.FindKey"/>
    public (Company Company, ApiKey Key)? FindKey(string key) => snapshot.FindKey(key);

    /// <summary>Reads what changed since the last time.</summary>
    /// <returns>Whether anything had.</returns>
    /// <exception cref="StoreUnavailableException">It cannot be read now; what was read before stays in force.</exception>
    public bool Refresh() => Ask(() =>
    {
        var version = CompanyRows.Version(Database);
        if (version == snapshot.Version) return false;
        snapshot = RegistrySnapshot.Read(Database, sealing, version);
        return true;
    });

    /// <summary>
    /// Does several changes as one: all of them or none. Whoever else would change something waits, in whichever process, and what they changed before is read first.
    /// </summary>
    /// <param name="work">May ask and change what it likes.</param>
    /// <param name="rewritten">The company whose tables may be derived anew by it.</param>
    public T Alone<T>(Func<T> work, Company? rewritten = null) => Ask(() =>
    {
        if (isAlone) return work();
        Database.BeginWrite(rewritten is null ? [(Engine.NoCompany, LockMode.Rewrite)] : [(Engine.NoCompany, LockMode.Rewrite), (rewritten.Number, LockMode.Rewrite)]);
        try
        {
            (isAlone, isChanged) = (true, false);
            Refresh();
            var answer = work();
            // Read before it is committed: should the database be gone a moment later, what was changed is known all the same.
            var changed = isChanged ? Bumped() : snapshot;
            Commit();
            snapshot = changed;
            return answer;
        }
        catch
        {
            open?.Rollback();
            throw;
        }
        finally
        {
            isAlone = false;
        }
    });

    /// <exception cref="InvalidOperationException">There is a company of that id.</exception>
    public Company AddCompany(string companyId, string name) => Change(() =>
    {
        if (Find(companyId) is not null) throw new InvalidOperationException($"There is a company {companyId} already.");
        Database.Use("INSERT INTO company (company_id, name, secret, settings, created_ms) VALUES (?, ?, ?, ?, ?)")
            .With(companyId).With(name).WithBlob(RandomNumberGenerator.GetBytes(32)).With(CompanyRows.Write(new())).With(Now()).Run();
        return CompanyRows.Read(Database).Single(company => company.CompanyId == companyId);
    });

    /// <summary>Changes what a company has chosen, and derives what hangs on it in steps, between which messages are taken: server sessions on the gap, revenue on the types that pay.</summary>
    /// <param name="change">Given the company as it is to stand until now, when nobody else can change it, says how it is to stand.</param>
    /// <param name="tell">Called before each step.</param>
    /// <returns>The company as it stands then.</returns>
    /// <exception cref="CommandFailedException">The change is noted, and what hangs on it is not derived to the end.</exception>
    public Company Set(Company company, Func<Company, Company> change, Action<RebuildProgress>? tell = null)
    {
        Change(() =>
        {
            var current = Current(company);
            var changed = change(current with { Settings = current.Settings.Wanted() });
            return Write(changed with { Settings = SettingsSteps.Begin(Database, current, changed.Settings) });
        }, company);
        try
        {
            var progress = new Dictionary<RebuildPart, long>();
            SettingsSteps.Finish(engine, company, (database, part, place) =>
            {
                if (!progress.TryGetValue(part, out var of)) progress.Add(part, of = tell is null ? 0 : SettingsSteps.CountOf(database, company, part));
                tell?.Invoke(new(part, place.Done, of));
            });
        }
        catch (Exception e) when (engine.IsUnavailable(e) || engine.IsHeld(e))
        {
            throw new CommandFailedException($"The change is noted, and not all that hangs on it is derived: {engine.CannotBeUsed(e)} A running server goes on with it, and so does the same command.");
        }

        Refresh();
        return Current(company);
    }

    /// <summary>Gives a company that has received nothing yet other settings, and another secret where one is given.</summary>
    /// <returns>False, and nothing is changed, where it has received messages.</returns>
    public bool SetUnlessReceived(Company company, CompanySettings settings, byte[]? secret) => Change(() =>
    {
        // In the transaction: a message must not come in under one secret just before there is another.
        using (var found = Database.Use("SELECT EXISTS (SELECT 1 FROM message WHERE company = ?)"))
        {
            found.With(company.Number).Next();
            if (found.Long(0) == 1) return false;
        }

        var current = Current(company);
        // Nothing is derived yet that would rest on what is changed.
        Write(current with { Settings = settings.Wanted() with { Ledger = current.Settings.Ledger }, Secret = secret ?? current.Secret });
        return true;
    }, company);

    private Company Current(Company company) => Find(company.Number) ?? throw new CommandFailedException($"There is no company {company.CompanyId} here any more.");

    private Company Write(Company changed)
    {
        Database.Use("UPDATE company SET name = ?, settings = ?, secret = ? WHERE id = ?")
            .With(changed.Name).With(CompanyRows.Write(changed.Settings)).WithBlob(changed.Secret).With(changed.Number).Run();
        return changed;
    }

    /// <summary>Adds a key and returns it: the only time it is seen.</summary>
    /// <param name="given">A key to take as it is, of 32 characters or more; none makes a new one.</param>
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

    public bool IsRevoked(string key) => Ask(() =>
    {
        using var revoked = Database.Use("SELECT EXISTS (SELECT 1 FROM api_key WHERE hash = ? AND revoked_ms IS NOT NULL)");
        revoked.WithBlob(ApiKey.HashOf(key)).Next();
        return revoked.Long(0) == 1;
    });

    /// <param name="actor">Who revokes it, for the audit log; null for what the program does by itself.</param>
    /// <returns>False where the company has no such key in force.</returns>
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

    /// <summary>All of a company's keys, revoked ones too.</summary>
    public IReadOnlyList<ApiKey> KeysOf(Company company) => [.. snapshot.AllKeys.Where(key => key.Company == company.Number)];

    /// <summary>The keys in force that a company signs its tokens with.</summary>
    public IReadOnlyList<TokenKey> TokenKeysInForce(Company company) => snapshot.TokenKeys.GetValueOrDefault(company.Number, []);

    /// <summary>All of a company's token keys, revoked ones too.</summary>
    public IReadOnlyList<TokenKey> TokenKeysOf(Company company) =>
        Ask<IReadOnlyList<TokenKey>>(() => [.. TokenKeyRows.Read(Database, sealing).Where(key => key.Company == company.Number)]);

    /// <summary>Adds a key that tokens are signed with; the first one in force decides by which algorithm.</summary>
    /// <param name="key">The secret's UTF-8 bytes (HS256), or the public key (EdDSA).</param>
    /// <exception cref="CommandFailedException">Two are in force, the company signs otherwise, or there is a key of that kid.</exception>
    public void AddTokenKey(Company company, string kid, TokenAlgorithm algorithm, byte[] key) => Change(() =>
    {
        var all = TokenKeyRows.Read(Database, sealing).Where(found => found.Company == company.Number).ToList();
        var inForce = all.Where(found => found.RevokedAt is null).ToList();
        if (all.Exists(found => found.Kid == kid)) throw new CommandFailedException($"{company.CompanyId} has had a token key {kid} already; give another --kid, or leave it out.");
        if (inForce.Find(found => found.Algorithm != algorithm) is { } other)
            throw new CommandFailedException($"{company.CompanyId} signs its tokens with {other.Algorithm} (key {other.Kid}), and only one algorithm is in force at a time; revoke its keys before you add one of {algorithm}.");
        if (inForce.Count >= TokenKey.MostInForce)
            throw new CommandFailedException($"{company.CompanyId} has {inForce.Count} token keys in force, which is all it may; revoke one of {string.Join(", ", inForce.Select(found => found.Kid))} first.");

        // Sealed here with another file, half of the keys could be read on each server and none on all.
        if (TokenKeyRows.Read(Database, sealing).FirstOrDefault(found => found is { RevokedAt: null, Key: null }) is { } unreadable)
            throw new CommandFailedException($"{sealing.Path} is not the file that the token key {unreadable.Kid} was encrypted with, so none is added beside it. Copy that file here from the server that added it, or revoke the keys that cannot be read.");

        TokenKeyRows.Add(Database, sealing, company.Number, kid, algorithm, key, Now());
        Database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(Current(company).Settings with { TokenAlgorithm = algorithm })).With(company.Number).Run();
        return true;
    }, company);

    /// <summary>Puts a token key out of force and forgets it.</summary>
    /// <returns>False where the company has no such key in force.</returns>
    public bool RevokeTokenKey(Company company, string kid) => Change(() =>
        Database.Use("UPDATE token_key SET revoked_ms = ?, key = ? WHERE company = ? AND kid = ? AND revoked_ms IS NULL").With(Now()).WithBlob([]).With(company.Number).With(kid).RunCounted() > 0);

    /// <summary>Identifies without a valid token that were taken while the company observed, by what was wrong, over the last UTC days.</summary>
    public IReadOnlyList<(string Fault, long Identifies)> WithoutToken(Company company, int days) => Ask(() =>
    {
        var counts = new List<(string, long)>();
        using var rows = Database.Use("SELECT fault, SUM(identifies) FROM identify_without_token WHERE company = ? AND day > ? GROUP BY fault ORDER BY 2 DESC, 1");
        rows.With(company.Number).With(DayCounters.DayOf(Now()) - days);
        while (rows.Next()) counts.Add((rows.Text(0), rows.Long(1)));
        return counts;
    });

    /// <returns>The password's hash and the stamp that cookies carry, or null for nobody.</returns>
    public (string PasswordHash, string Stamp)? FindMember(string name) => snapshot.Members.TryGetValue(name, out var member) ? member : null;

    /// <summary>Sets a member's password; whoever is logged in with an older one is not any more.</summary>
    public void SetPassword(string name, string passwordHash) => Change(() =>
    {
        Database.Use("INSERT INTO member (name, password_hash, stamp) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, stamp = excluded.stamp")
            .With(name).With(passwordHash).With(RandomNumberGenerator.GetHexString(32)).Run();
        return true;
    });

    /// <summary>Whether somebody has logged out of it.</summary>
    public bool IsEnded(string login) => snapshot.EndedLogins.Contains(login);

    /// <summary>Ends a login on every server.</summary>
    /// <param name="login">Its random name.</param>
    /// <param name="remembered">How long a copy of its cookie might be good.</param>
    public void EndLogin(string login, TimeSpan remembered) => Change(() =>
    {
        Database.Use("DELETE FROM ended_login WHERE until_ms < ?").With(Now()).Run();
        Database.Use("INSERT INTO ended_login (login, until_ms) VALUES (?, ?) ON CONFLICT (login) DO NOTHING").With(login).With(Now() + (long)remembered.TotalMilliseconds).Run();
        return true;
    });

    /// <summary>Waits for who is asking it just now.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            open?.Dispose();
            open = null;
        }
    }

    /// <summary>The one connection, opened when it is first needed and again after it was lost.</summary>
    private Database Database => open ??= engine.Open();

    /// <summary>Asks the store, one at a time.</summary>
    /// <exception cref="StoreUnavailableException">A store that is elsewhere cannot be reached now.</exception>
    private T Ask<T>(Func<T> ask)
    {
        lock (gate)
        {
            if (closed) throw new StoreUnavailableException("The server is stopping; nothing was changed.");
            try
            {
                return ask();
            }
            catch (Exception e) when (open is null or { IsShared: true } && engine.IsUnavailable(e))
            {
                open?.Dispose();
                open = null;
                throw new StoreUnavailableException("The store cannot be reached now; nothing was changed.", e);
            }
        }
    }

    /// <exception cref="CommandFailedException">It is not known whether it is committed.</exception>
    private void Commit()
    {
        try
        {
            Database.Commit();
        }
        catch (Exception e) when (engine.IsUncertain(e))
        {
            open?.Dispose();
            open = null;
            throw new CommandFailedException($"{engine.Name} has not answered whether this was changed ({StoreUnavailableException.CauseOf(e)}); look before you try it again.");
        }
    }

    private T Change<T>(Func<T> change, Company? rewritten = null) => Alone(() =>
    {
        isChanged = true;
        return change();
    }, rewritten);

    /// <summary>Tells other processes that there is something new, and reads what they will.</summary>
    private RegistrySnapshot Bumped()
    {
        Database.Execute("UPDATE registry_version SET version = version + 1");
        return RegistrySnapshot.Read(Database, sealing, CompanyRows.Version(Database));
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
