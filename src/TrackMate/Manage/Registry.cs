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
internal sealed partial class Registry : IDisposable
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

    /// <summary>Changes the settings of a company, and recomputes what depends on them in steps, between which messages are taken: server sessions on the gap, revenue on the types that pay.</summary>
    /// <param name="change">Given the company as it is to stand until now, when nobody else can change it, says how it is to stand.</param>
    /// <param name="tell">Called before each step.</param>
    /// <returns>The company as it stands then.</returns>
    /// <exception cref="CommandFailedException">The change is saved, and what depends on it is not fully recomputed.</exception>
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
            throw new CommandFailedException($"The change is saved but not completed: {engine.CannotBeUsed(e)} A running server completes it, or run the same command again.");
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
