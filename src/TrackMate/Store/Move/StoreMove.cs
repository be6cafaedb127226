using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>What a move is at.</summary>
/// <param name="Doing">With the table's name: <c>Moving message</c>.</param>
/// <param name="Rows">Of all tables so far.</param>
internal readonly record struct MoveStep(string Doing, long Rows, long Of);

/// <summary>
/// Moves a store as it is, all tables and all columns, what is derived too: nothing gets another number or another id. It writes in chunks, each with a note of how
/// far it is, so that a move that was killed goes on from there.
/// </summary>
/// <param name="from">Held.</param>
/// <param name="to">Held.</param>
/// <param name="chunk">Rows in one transaction.</param>
internal sealed class StoreMove(StoreEnd from, StoreEnd to, int chunk, Action<MoveStep> tell)
{
    /// <summary>Rows between two words about where a comparison is.</summary>
    private const int Told = 10_000;

    private readonly List<(MovedTable From, MovedTable To)> tables = TablesOfBoth(from, to);
    private readonly Dictionary<string, long> counts = [];
    private MoveProgress? progress;

    public int Tables => tables.Count;

    public long Rows => counts.Values.Sum();

    /// <summary>Of one table, at the source.</summary>
    public long RowsOf(string table) => counts[table];

    /// <summary>Looks whether it can be done, and begins.</summary>
    /// <returns>Whether it goes on with what an earlier start began.</returns>
    /// <exception cref="MoveFailedException">The target holds something else.</exception>
    public bool Begin()
    {
        progress = MoveProgress.Open(to.Database, Fingerprint(), () => tables.All(table => !table.To.HasKey || table.To.IsEmpty(to.Database)), from.Engine.Place, to.Engine.Place);
        foreach (var table in tables) counts[table.From.Name] = table.From.Count(from.Database);
        return progress.IsResumed;
    }

    /// <summary>Copies what is not there yet.</summary>
    public void Copy(CancellationToken cancel)
    {
        var before = 0L;
        foreach (var (source, target) in tables)
        {
            Copy(source, target, before, cancel);
            before += counts[source.Name];
        }

        to.Finish(tables.ConvertAll(table => table.To));
    }

    /// <summary>Reads both sides again, whole, and compares them table by table.</summary>
    /// <exception cref="MoveFailedException">They are not the same.</exception>
    public void Compare(CancellationToken cancel)
    {
        var before = 0L;
        to.Database.BeginRead();
        foreach (var (source, target) in tables)
        {
            var all = 2 * Rows;
            var left = DigestOf(source, from.Database, rows => tell(new($"Comparing {source.Name}", before + rows, all)), cancel);
            var right = DigestOf(target, to.Database, rows => tell(new($"Comparing {source.Name}", before + left.Rows + rows, all)), cancel);
            if (!left.IsOf(right))
            {
                throw new MoveFailedException(string.Create(CultureInfo.InvariantCulture,
                    $"The table {source.Name} is not the same on both sides ({left.Rows:N0} rows in {from.Engine.Place}, {right.Rows:N0} in {to.Engine.Place}): something wrote to one of them between two starts of the move. Empty the target and begin again."));
            }

            before += 2 * left.Rows;
        }

        to.Database.Rollback();
    }

    /// <summary>Makes the target a store that servers may work on.</summary>
    public void Close() => progress!.Drop();

    private static List<(MovedTable From, MovedTable To)> TablesOfBoth(StoreEnd from, StoreEnd to)
    {
        var (left, right) = (from.ReadTables(), to.ReadTables());
        foreach (var (one, other, tables, others) in new[] { (from, to, left, right), (to, from, right, left) })
        {
            foreach (var (name, table) in tables)
            {
                if (others.TryGetValue(name, out var same))
                {
                    if (table.Columns.Find(column => !same.Columns.Exists(known => known.Name == column.Name)) is { } column)
                        throw new MoveFailedException($"The table {name} has a column {column.Name} in {one.Engine.Place} that {other.Engine.Place} has no place for; please report this.");
                }
                else if (!one.Own.Contains(name))
                {
                    throw new MoveFailedException($"{one.Engine.Name} has a table {name} that {other.Engine.Place} has no place for; please report this.");
                }
            }
        }

        // Each counts its own schema's versions.
        return [.. left.Keys.Where(name => right.ContainsKey(name) && name != "schema_version")
            // Keys refer to companies.
            .OrderByDescending(name => name == "company").ThenBy(name => name, StringComparer.Ordinal).Select(name => (left[name], right[name]))];
    }

    /// <summary>Tells a store, and what it has received so far, from others.</summary>
    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var companies = new List<long>();
        using (var rows = from.Database.Use("SELECT id, company_id, secret FROM company ORDER BY id"))
        {
            while (rows.Next())
            {
                companies.Add(rows.Long(0));
                hash.AppendData(rows.Bytes(1));
                hash.AppendData(rows.Bytes(2));
            }
        }

        foreach (var company in companies) hash.AppendData(BitConverter.GetBytes(from.Database.LastMessage(company)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Copy(MovedTable source, MovedTable target, long before, CancellationToken cancel)
    {
        var (last, copied, isDone) = progress!.Of(source.Name);
        if (isDone) return;
        // Of a table by company: the one that is being copied, and null behind the last one.
        var company = !source.IsByCompany ? 0 : last is null ? source.CompanyAfter(from.Database, long.MinValue) : last[0]!.GetValue<long>();
        while (!isDone)
        {
            cancel.ThrowIfCancellationRequested();
            tell(new($"Moving {source.Name}", before + copied, Rows));
            to.Database.BeginWrite([]);
            try
            {
                if (!target.HasKey) to.Database.Execute(target.ClearSql);
                var (rows, next) = company is { } number ? CopyChunk(source, target, last, number) : (0, last);
                copied += rows;
                last = next;
                if (rows < chunk && source.IsByCompany && company is { } done)
                {
                    company = source.CompanyAfter(from.Database, done);
                    last = company is { } following ? [following] : last;
                }

                isDone = source.IsByCompany ? company is null : rows < chunk || !source.HasKey;
                progress.Note(source.Name, last, copied, isDone);
                to.Database.Commit();
            }
            catch
            {
                to.Database.Rollback();
                throw;
            }

            to.Tidy();
        }
    }

    private (int Rows, JsonArray? Last) CopyChunk(MovedTable source, MovedTable target, JsonArray? last, long company)
    {
        var rows = 0;
        // A place of one part is the beginning of a company.
        using var reading = source.Read(from.Database, source.IsByCompany && last is { Count: 1 } ? null : last, company, chunk);
        using var writing = to.Write(target);
        while (reading.Next())
        {
            writing.Add(reading);
            rows++;
            if (rows == chunk) last = source.KeyOf(reading);
        }

        writing.Complete();
        return (rows, last);
    }

    private static TableDigest DigestOf(MovedTable table, Database database, Action<long> told, CancellationToken cancel)
    {
        var digest = new TableDigest(table);
        JsonArray? last = null;
        var company = table.IsByCompany ? table.CompanyAfter(database, long.MinValue) : 0;
        while (company is { } number)
        {
            cancel.ThrowIfCancellationRequested();
            var before = digest.Rows;
            using (var rows = table.Read(database, last, number, Told))
            {
                while (rows.Next())
                {
                    digest.Add(rows);
                    if (digest.Rows - before == Told) last = table.KeyOf(rows);
                }
            }

            told(digest.Rows);
            if (table.HasKey && digest.Rows - before == Told) continue;
            company = table.IsByCompany ? table.CompanyAfter(database, number) : null;
            last = null;
        }

        return digest;
    }
}
