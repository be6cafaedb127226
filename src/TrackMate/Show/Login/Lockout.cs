using System.Net;
using TrackMate.Http;

namespace TrackMate.Show;

/// <summary>
/// Failed logins by name and address, and how long the next one has to wait: five are free, then the wait doubles. By both, so that a stranger elsewhere cannot
/// keep the owner out. The memory is bounded: what has long been quiet goes first.
/// </summary>
internal sealed class Lockout(TimeProvider time)
{
    private const int FreeFailures = 5;
    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(24);

    private readonly Dictionary<string, (int Failures, DateTimeOffset Last)> failures = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>
    /// Begins an attempt, which counts as failed until <see cref="Succeeded"/>: so any number of attempts at once are not more than one after another.
    /// </summary>
    /// <returns>How long to wait before it may be tried; null if it may now.</returns>
    public TimeSpan? Begin(string name, IPAddress? address)
    {
        var key = KeyOf(name, address);
        var now = time.GetUtcNow();
        lock (gate)
        {
            var known = failures.GetValueOrDefault(key);
            if (now - known.Last > Forgotten) known = default;
            if (known.Failures >= FreeFailures && known.Last + WaitAfter(known.Failures) is var until && until > now) return until - now;
            if (failures.Count >= MaxRemembered && !failures.ContainsKey(key)) Forget(now);
            failures[key] = (known.Failures + 1, now);
            return null;
        }
    }

    /// <summary>Takes back an attempt that was not made.</summary>
    public void Withdraw(string name, IPAddress? address)
    {
        var key = KeyOf(name, address);
        lock (gate)
        {
            if (failures.TryGetValue(key, out var known)) failures[key] = (known.Failures - 1, known.Last);
        }
    }

    public void Succeeded(string name, IPAddress? address)
    {
        lock (gate) failures.Remove(KeyOf(name, address));
    }

    /// <summary>How many names with addresses are held.</summary>
    public int Remembered
    {
        get
        {
            lock (gate) return failures.Count;
        }
    }

    private static TimeSpan WaitAfter(int failed) =>
        TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, FirstWait.Ticks << Math.Min(failed - FreeFailures, 10)));

    private void Forget(DateTimeOffset now)
    {
        foreach (var (key, known) in failures.ToList())
        {
            if (now - known.Last > LongestWait) failures.Remove(key);
        }

        if (failures.Count < MaxRemembered) return;
        foreach (var (key, _) in failures.OrderBy(known => known.Value.Last).Take(MaxRemembered / 10).ToList()) failures.Remove(key);
    }

    // A name is as long as its sender likes, so only its hash is kept.
    private static string KeyOf(string name, IPAddress? address)
    {
        var network = address is null ? [] : AddressNetwork.Of(address).GetAddressBytes();
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name.Trim().ToLowerInvariant()));
        return Convert.ToHexString(network) + ":" + Convert.ToHexString(hash);
    }
}
