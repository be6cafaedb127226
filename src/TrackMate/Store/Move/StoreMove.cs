using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>The progress of a move.</summary>
/// <param name="Doing">The current work with the table's name: <c>Moving message</c>.</param>
/// <param name="Rows">The number of rows done so far, in all tables.</param>
internal readonly record struct MoveStep(string Doing, long Rows, long Of);

/// <summary>
/// Copies a store as it is: all tables with all columns, including the derived ones. No row gets another number or id. It writes in chunks and records its progress
/// with each, so that a killed move can continue.
/// </summary>
/// <param name="from">The source; it is locked.</param>
/// <param name="to">The target; it is locked.</param>
/// <param name="chunk">The number of rows in one transaction.</param>
/// <param name="report">Receives the progress.</param>
internal sealed class StoreMove(StoreEnd from, StoreEnd to, int chunk, Action<MoveStep> report)
{
    /// <summary>The number of rows between two reports during the comparison.</summary>
    private const int RowsPerReport = 10_000;

    private readonly List<(MovedTable From, MovedTable To)> tables = TablesOfBoth(from, to);
    private readonly Dictionary<string, long> counts = [];
    private MoveProgress? progress;

    public int Tables => tables.Count;

    public long Rows => counts.Values.Sum();

    /// <summary>The number of rows of one table in the source.</summary>
    public long RowsOf(string table) => counts[table];

    /// <summary>Checks that the move is possible, and starts it.</summary>
    /// <returns>Whether it continues an earlier run.</returns>
    /// <exception cref="MoveFailedException">The target holds other data.</exception>
    public bool Begin()
    {
        progress = MoveProgress.Open(to.Database, Fingerprint(), () => tables.All(table => !table.To.HasKey || table.To.IsEmpty(to.Database)), from.Engine.Place, to.Engine.Place);
        foreach (var table in tables) counts[table.From.Name] = table.From.Count(from.Database);
        return progress.IsResumed;
    }

    /// <summary>Copies the rows that are not yet in the target.</summary>
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

    /// <summary>Reads all rows of both stores, and compares them table by table.</summary>
    /// <exception cref="MoveFailedException">The stores differ.</exception>
    public void Compare(CancellationToken cancel)
    {
        var before = 0L;
        to.Database.BeginRead();
        foreach (var (source, target) in tables)
        {
            var all = 2 * Rows;
            var left = DigestOf(source, from.Database, rows => report(new($"Comparing {source.Name}", before + rows, all)), cancel);
            var right = DigestOf(target, to.Database, rows => report(new($"Comparing {source.Name}", before + left.Rows + rows, all)), cancel);
            if (!left.IsOf(right))
            {
                throw new MoveFailedException(string.Create(CultureInfo.InvariantCulture,
                    $"The table {source.Name} is not the same on both sides ({left.Rows:N0} rows in {from.Engine.Place}, {right.Rows:N0} in {to.Engine.Place}): something wrote to one of them between two starts of the move. Empty the target and begin again."));
            }

            before += 2 * left.Rows;
        }

        to.Database.Rollback();
    }

    /// <summary>Ends the move, so that servers may use the target.</summary>
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

        // Each engine has its own numbering of schema versions.
        return [.. left.Keys.Where(name => right.ContainsKey(name) && name != "schema_version")
            // Other tables have foreign keys to companies.
            .OrderByDescending(name => name == "company").ThenBy(name => name, StringComparer.Ordinal).Select(name => (left[name], right[name]))];
    }

    /// <summary>Identifies a store and the messages that it has received so far.</summary>
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
        // For a table by company: the company being copied; null after the last one.
        var company = !source.IsByCompany ? 0 : last is null ? source.CompanyAfter(from.Database, long.MinValue) : last[0]!.GetValue<long>();
        while (!isDone)
        {
            cancel.ThrowIfCancellationRequested();
            report(new($"Moving {source.Name}", before + copied, Rows));
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
        // A key of one part is the beginning of a company.
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

    private static TableDigest DigestOf(MovedTable table, Database database, Action<long> report, CancellationToken cancel)
    {
        var digest = new TableDigest(table);
        JsonArray? last = null;
        var company = table.IsByCompany ? table.CompanyAfter(database, long.MinValue) : 0;
        while (company is { } number)
        {
            cancel.ThrowIfCancellationRequested();
            var before = digest.Rows;
            using (var rows = table.Read(database, last, number, RowsPerReport))
            {
                while (rows.Next())
                {
                    digest.Add(rows);
                    if (digest.Rows - before == RowsPerReport) last = table.KeyOf(rows);
                }
            }

            report(digest.Rows);
            if (table.HasKey && digest.Rows - before == RowsPerReport) continue;
            company = table.IsByCompany ? table.CompanyAfter(database, number) : null;
            last = null;
        }

        return digest;
    }
}
