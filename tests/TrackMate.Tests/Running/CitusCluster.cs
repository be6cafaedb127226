using System.Diagnostics;
using System.Globalization;

namespace TrackMate.Tests.Running;

/// <summary>
/// The Citus cluster that <c>TRACKMATE_TEST_CITUS</c> names, and what can be done to its machines: by <c>TRACKMATE_TEST_CITUS_CONTROL</c>, a program that is given
/// <c>kill-worker N</c>, <c>start-worker N</c>, <c>pause-worker N</c>, <c>resume-worker N</c>, <c>add-worker</c>, <c>restart-coordinator</c> or <c>sql TEXT</c> (on the
/// coordinator, as a superuser; it prints rows with <c>|</c> between the columns). Workers are numbered from 1 in the order in which they were added.
/// </summary>
internal static class CitusCluster
{
    private static readonly string? Control = Environment.GetEnvironmentVariable("TRACKMATE_TEST_CITUS_CONTROL");

    /// <summary>Ends a test that needs a cluster where there is none.</summary>
    public static void Require() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("TRACKMATE_TEST_CITUS") is not null && Control is not null && StoreUnderTest.IsLong,
        "It needs a Citus cluster (TRACKMATE_TEST_CITUS), a program that controls it (TRACKMATE_TEST_CITUS_CONTROL), and --long.");

    /// <returns>What the program printed.</returns>
    public static async Task<string> DoAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Control!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Control} did not start.");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token);
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}{await output}");
    }

    /// <summary>The number of the worker that holds a company of an installation.</summary>
    public static async Task<int> WorkerOfAsync(string schema, long company)
    {
        var sql = string.Create(CultureInfo.InvariantCulture, $"""
            SELECT count(*) FROM pg_dist_node n WHERE n.groupid <> 0 AND n.nodeid <= (SELECT m.nodeid FROM pg_dist_node m JOIN pg_dist_placement p ON p.groupid = m.groupid
            WHERE p.shardid = get_shard_id_for_distribution_column('{schema}.message', {company}))
            """);
        return int.Parse(await DoAsync("sql", sql), CultureInfo.InvariantCulture);
    }
}
