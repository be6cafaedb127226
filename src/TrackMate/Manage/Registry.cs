using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Manage;

/// <summary>The progress of a changed setting: events, days or pairs that are done, out of all.</summary>
internal readonly record struct RebuildProgress(RebuildPart Part, long Done, long Of);

/// <summary>
/// Companies, their keys, and the members who may log in. A running server answers from a snapshot, and reads a new one within a second of a change by any process.
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

    /// <summary>Opens the registry of an installation, with or without a running server.</summary>
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

    /// <summary>Reads a new snapshot if anything has changed.</summary>
    /// <returns>Whether anything had changed.</returns>
    /// <exception cref="StoreUnavailableException">The store cannot be read now. The old snapshot stays in use.</exception>
    public bool Refresh() => Run(() =>
    {
        var version = CompanyRows.Version(Database);
        if (version == snapshot.Version) return false;
        snapshot = RegistrySnapshot.Read(Database, sealing, version);
        return true;
    });

    /// <summary>
    /// Makes several changes as one: all of them or none. Changes by other processes wait meanwhile, and their earlier changes are read first.
    /// </summary>
    /// <param name="work">May read and change anything.</param>
    /// <param name="rewritten">The company whose tables may be derived again by it.</param>
    public T Alone<T>(Func<T> work, Company? rewritten = null) => Run(() =>
    {
        if (isAlone) return work();
        Database.BeginWrite(rewritten is null ? [(Engine.NoCompany, LockMode.Rewrite)] : [(Engine.NoCompany, LockMode.Rewrite), (rewritten.Number, LockMode.Rewrite)]);
        try
        {
            (isAlone, isChanged) = (true, false);
            Refresh();
            var answer = work();
            // The new snapshot is read before the commit. If the database fails a moment later, the server still knows the change.
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

    /// <exception cref="InvalidOperationException">A company with this id exists.</exception>
    public Company AddCompany(string companyId, string name) => Change(() =>
    {
        if (Find(companyId) is not null) throw new InvalidOperationException($"There is a company {companyId} already.");
        Database.Use("INSERT INTO company (company_id, name, secret, settings, created_ms) VALUES (?, ?, ?, ?, ?)")
            .With(companyId).With(name).WithBlob(RandomNumberGenerator.GetBytes(32)).With(CompanyRows.Write(new())).With(Now()).Run();
        return CompanyRows.Read(Database).Single(company => company.CompanyId == companyId);
    });

    /// <summary>Changes the settings of a company, and recomputes the rows that depend on them in steps between messages: server sessions for the gap, revenue for the payment types.</summary>
    /// <param name="change">Receives the current company, which nobody else can change meanwhile, and returns the new one.</param>
    /// <param name="report">Called before each step.</param>
    /// <returns>The company after the change.</returns>
    /// <exception cref="CommandFailedException">The change is saved, and the dependent rows are not fully recomputed.</exception>
    public Company Set(Company company, Func<Company, Company> change, Action<RebuildProgress>? report = null)
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
                if (!progress.TryGetValue(part, out var of)) progress.Add(part, of = report is null ? 0 : SettingsSteps.CountOf(database, company, part));
                report?.Invoke(new(part, place.Done, of));
            });
        }
        catch (Exception e) when (engine.IsUnavailable(e) || engine.IsHeld(e))
        {
            throw new CommandFailedException($"The change is saved but not completed: {engine.CannotBeUsed(e)} A running server completes it, or run the same command again.");
        }

        Refresh();
        return Current(company);
    }

    /// <summary>Replaces the settings, and optionally the secret, of a company that has not received any message.</summary>
    /// <returns>False, without a change, if the company has received messages.</returns>
    public bool SetUnlessReceived(Company company, CompanySettings settings, byte[]? secret) => Change(() =>
    {
        // Checked inside the transaction: no message may be stored under one secret just before it is replaced.
        using (var found = Database.Use("SELECT EXISTS (SELECT 1 FROM message WHERE company = ?)"))
        {
            found.With(company.Number).Next();
            if (found.Long(0) == 1) return false;
        }

        var current = Current(company);
        // No derived row depends on the settings yet.
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

    /// <summary>Closes the registry, after waiting for a call in progress.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            open?.Dispose();
            open = null;
        }
    }

    /// <summary>The one connection, opened when it is first needed, and again after it was lost.</summary>
    private Database Database => open ??= engine.Open();

    /// <summary>Runs one call at a time on the connection.</summary>
    /// <exception cref="StoreUnavailableException">A store on another machine cannot be reached now.</exception>
    private T Run<T>(Func<T> work)
    {
        lock (gate)
        {
            if (closed) throw new StoreUnavailableException("The server is stopping; nothing was changed.");
            try
            {
                return work();
            }
            catch (Exception e) when (open is null or { IsShared: true } && engine.IsUnavailable(e))
            {
                open?.Dispose();
                open = null;
                throw new StoreUnavailableException("The store cannot be reached now; nothing was changed.", e);
            }
        }
    }

    /// <exception cref="CommandFailedException">It is unknown whether the change was committed.</exception>
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

    /// <summary>Raises the version, which notifies other processes, and reads the new snapshot.</summary>
    private RegistrySnapshot Bumped()
    {
        Database.Execute("UPDATE registry_version SET version = version + 1");
        return RegistrySnapshot.Read(Database, sealing, CompanyRows.Version(Database));
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
