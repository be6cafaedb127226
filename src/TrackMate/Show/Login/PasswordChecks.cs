using System.Net;
using Microsoft.AspNetCore.Identity;
using TrackMate.Http;
using TrackMate.Manage;

namespace TrackMate.Show;

/// <summary>
/// Checks passwords, which is expensive on purpose: at most half of the processors do it. One address has few logins in progress, addresses take turns, and a login that
/// would wait too long is rejected at once. Unknown names never wait for the others: at most one real check runs for them, and the rest only wait as long as one.
/// </summary>
internal sealed class PasswordChecks(TimeProvider time)
{
    /// <summary>The most logins of one address at once.</summary>
    public const int MostOfAddress = 4;

    /// <summary>The most logins that wait for a check.</summary>
    public const int MostWaiting = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly PasswordHasher<string> Hasher = new();
    private static readonly Lazy<string> NobodysHash = new(() => FirstStart.HashPassword(FirstStart.NewPassword()));

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, int> ofAddress = [];
    private readonly Dictionary<IPAddress, Queue<TaskCompletionSource>> waiting = [];
    private readonly Queue<IPAddress> turns = new();
    private int free = Math.Max(1, Environment.ProcessorCount / 2);
    private int waitingCount;
    private int pretending;
    private TimeSpan lastCheck = TimeSpan.FromMilliseconds(100);

    /// <param name="address">The client's address.</param>
    /// <param name="name">The member's name.</param>
    /// <param name="hash">The password's hash; null if there is no such member. The check then takes as long as a real one.</param>
    /// <param name="password">The password to check.</param>
    /// <exception cref="RejectionException">The login would wait too long.</exception>
    public async Task<bool> IsRightAsync(IPAddress? address, string name, string? hash, string password)
    {
        var network = AddressNetwork.Of(address ?? IPAddress.None);
        Join(network);
        try
        {
            if (hash is null) return await PretendAsync(name, password);
            await TurnAsync(network);
            try
            {
                return Check(name, hash, password);
            }
            finally
            {
                Next();
            }
        }
        finally
        {
            Leave(network);
        }
    }

    private bool Check(string name, string hash, string password)
    {
        var started = time.GetTimestamp();
        var result = Hasher.VerifyHashedPassword(name, hash, password);
        lastCheck = time.GetElapsedTime(started);
        return result is not PasswordVerificationResult.Failed;
    }

    private async Task<bool> PretendAsync(string name, string password)
    {
        if (Interlocked.CompareExchange(ref pretending, 1, 0) == 0)
        {
            Check(name, NobodysHash.Value, password);
            Volatile.Write(ref pretending, 0);
        }
        else
        {
            await Task.Delay(lastCheck, time);
        }

        return false;
    }

    private void Join(IPAddress network)
    {
        lock (gate)
        {
            var already = ofAddress.GetValueOrDefault(network);
            if (already >= MostOfAddress) throw new RejectionException(Reason.TooManyRequests, "Too many people are logging in from your address at this moment. Try again in a few seconds.", retryAfterSeconds: 2);
            ofAddress[network] = already + 1;
        }
    }

    private void Leave(IPAddress network)
    {
        lock (gate)
        {
            if (--ofAddress[network] == 0) ofAddress.Remove(network);
        }
    }

    private async Task TurnAsync(IPAddress network)
    {
        TaskCompletionSource turn;
        lock (gate)
        {
            if (free > 0)
            {
                free--;
                return;
            }

            if (waitingCount >= MostWaiting) throw TooMany();
            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            waitingCount++;
            if (!waiting.TryGetValue(network, out var queue))
            {
                waiting[network] = queue = new();
                turns.Enqueue(network);
            }

            queue.Enqueue(turn);
        }

        try
        {
            await turn.Task.WaitAsync(Patience, time);
        }
        catch (TimeoutException)
        {
            // The turn may have come at this very moment. Otherwise the cancelled entry is skipped later.
            if (!turn.TrySetCanceled()) return;
            throw TooMany();
        }
    }

    /// <summary>Passes the turn to the next address, or frees it.</summary>
    private void Next()
    {
        lock (gate)
        {
            while (turns.TryDequeue(out var network))
            {
                var queue = waiting[network];
                var turn = queue.Dequeue();
                waitingCount--;
                if (queue.Count > 0) turns.Enqueue(network);
                else waiting.Remove(network);
                if (turn.TrySetResult()) return;
            }

            free++;
        }
    }

    private static RejectionException TooMany() => new(Reason.StoreUnavailable, "Too many people are logging in at this moment. Try again in a few seconds.", retryAfterSeconds: 2);
}
