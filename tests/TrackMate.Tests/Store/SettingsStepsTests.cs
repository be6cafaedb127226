using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Ingest;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>A changed setting is derived in steps between the messages: what is shown is old or new, and in the end what a rebuild gives.</summary>
public sealed class SettingsStepsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>, IDisposable
{
    private readonly OfflineWriter beside = new(stored.Engine);

    private static readonly ActBy Operator = new("tests", Messages.Ten, DryRun: false);

    /// <summary>What is put in force at once.</summary>
    private static readonly Gen<CompanySettings> InForceAtOnce = Gen.Select(
        Gen.OneOf(1, 10, 30, 60, 720), Gen.OneOf<string[]>(["payment_processed", "Order Completed"], ["order_shipped", "payment_processed"], ["payment_refunded"]), Gen.OneOf("USD", "JPY"),
        (gap, types, currency) => new CompanySettings
        {
            ServerSessionGapMinutes = gap,
            PaymentTypes = types,
            RefundTypes = types.Contains("payment_refunded") ? ["payment_processed"] : ["payment_refunded", "refund_processed"],
            Currency = currency,
        });

    /// <summary>What is derived anew person by person.</summary>
    private static readonly Gen<CompanySettings> PersonByPerson = Gen.Select(
        Gen.OneOf(1, 2, 10), Gen.OneOf(1, 2, 10_000), Gen.OneOf(ClaimedJoins.All, ClaimedJoins.New, ClaimedJoins.None),
        (emails, sessions, claimed) => new CompanySettings { MaxEmailsPerPerson = emails, NewSessionsPerDay = sessions, ClaimedJoins = claimed });

    [Fact]
    public async Task What_is_shown_is_old_or_new_and_nothing_between() =>
        await Gen.Select(Histories.OfSize(24, withActs: false), InForceAtOnce.Array[2, 4], Gen.Int[1, 6]).SampleAsync(async (history, settings, most) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings[0]));
            var arrival = new Queue<Message>(history.Arrival(order: 1, company));
            var arrived = new List<Message>();
            await ArriveAsync(arrival.Count / 2);
            foreach (var wanted in settings.Skip(1))
            {
                Change(company, wanted);
                // Another change may come before all of this one is derived.
                for (var steps = random.Next(2) == 0 ? int.MaxValue : random.Next(10); steps > 0 && Step(company, most); steps--)
                {
                    if (random.Next(3) == 0) await ArriveAsync(random.Next(3));
                    if (random.Next(3) == 0) AssertView($"While {wanted} is derived the view is another:");
                }
            }

            while (Step(company, most)) await ArriveAsync(random.Next(2));
            await ArriveAsync(arrival.Count);
            Assert.Equal((settings[^1].ServerSessionGapMinutes, settings[^1].Currency, null), (Current(company).Settings.ServerSessionGapMinutes, Current(company).Settings.Currency, Current(company).Settings.Next));
            Assert.Equal(settings[^1].PaymentTypes, Current(company).Settings.PaymentTypes);
            AssertView("In the end the view is another:");
            AssertDerivedIsWhatARebuildGives(company);

            async Task ArriveAsync(int count)
            {
                for (; count > 0 && arrival.TryDequeue(out var message); count--)
                {
                    arrived.Add(message);
                    await stored.Store.AppendAsync([message]);
                }
            }

            void AssertView(string what) => View.AssertEqual(
                NaiveView.Of(Current(company), arrived).ToText(),
                StoredView.Read(stored.Store, Current(company), [.. arrived.DistinctBy(message => (message.Order.Origin, message.EventId))], random).ToText(), what);
        }, iter: StoreUnderTest.Histories(40), threads: 1, print: sample => $"{string.Join("\n", sample.Item2.AsEnumerable())}\nsteps of {sample.Item3}\n{sample.Item1}");

    /// <summary>One customer of whom many servers tell: what is cut already must not be joined again by what comes, and what is not cut yet must not be lost.</summary>
    [Fact]
    public async Task Server_sessions_follow_the_gap_whatever_comes_meanwhile() =>
        await Gen.Select(Gen.Int[0, 120].Array[4, 24], Gen.OneOf(2, 5, 10, 30, 60).Array[2, 4], Gen.Int[1, 4], Gen.Int).SampleAsync(async (minutes, gaps, most, seed) =>
        {
            var random = new Random(seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), new() { ServerSessionGapMinutes = gaps[0] }));
            var arrived = new List<int>();
            await ArriveAsync(minutes.Length / 2);
            foreach (var gap in gaps.Skip(1))
            {
                Change(company, new() { ServerSessionGapMinutes = gap });
                for (var steps = random.Next(2) == 0 ? int.MaxValue : random.Next(6); steps > 0 && Step(company, most); steps--) await ArriveAsync(random.Next(2));
            }

            while (Step(company, most)) await ArriveAsync(random.Next(2));
            await ArriveAsync(minutes.Length);
            AssertDerivedIsWhatARebuildGives(company);

            async Task ArriveAsync(int count)
            {
                foreach (var minute in minutes.Skip(arrived.Count).Take(count).ToList())
                {
                    await stored.Store.AppendAsync([Messages.Webhook(company, "ann@shop.com", $"w{arrived.Count}", Messages.Ten + (minute * 60_000L))]);
                    arrived.Add(minute);
                }

                var (now, sessions) = (Current(company), 0);
                var times = arrived.Order().ToList();
                for (var i = 0; i < times.Count; i++) sessions += i == 0 || times[i] - times[i - 1] >= now.Settings.ServerSessionGapMinutes ? 1 : 0;
                using var snapshot = stored.Store.Read();
                Assert.Equal(sessions, new Documents(snapshot.Database, now).Find(Identifier.Email(now, "ann@shop.com").Id)!.Totals.Sessions.Server);
            }
        }, iter: StoreUnderTest.Histories(20), threads: 1, print: sample => $"minutes {string.Join(' ', sample.Item1)}, gaps {string.Join(' ', sample.Item2)}, steps of {sample.Item3}, seed {sample.Item4}");

    [Fact]
    public async Task Joins_and_claims_end_as_a_rebuild_gives_them() =>
        await Gen.Select(Histories.OfSize(24), PersonByPerson.Array[2, 4], Gen.Int[1, 300]).SampleAsync(async (history, settings, most) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings[0]));
            history = history with { Settings = settings[0] };
            var arrival = new Queue<Message>(history.Arrival(order: 1, company));
            while (arrival.Count > history.Messages.Count / 3) await stored.Store.AppendAsync([arrival.Dequeue()]);
            var acts = new PlayedActs(stored.Store, company, history);
            await acts.DoAsync(int.MaxValue);
            foreach (var wanted in settings.Skip(1))
            {
                Change(company, wanted);
                for (var steps = random.Next(2) == 0 ? int.MaxValue : random.Next(5); steps > 0 && Step(company, most); steps--)
                {
                    if (random.Next(3) == 0 && arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
                }
            }

            while (Step(company, most))
            {
                if (arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
            }

            while (arrival.TryDequeue(out var message)) await stored.Store.AppendAsync([message]);
            View.AssertEqual(
                NaiveView.Of(Current(company), history.Messages, acts.Standing).ToText(),
                acts.Named(StoredView.Read(stored.Store, Current(company), history.Stored, random).ToText()), "In the end the view is another:");
            AssertDerivedIsWhatARebuildGives(company);
        }, iter: StoreUnderTest.Histories(40), threads: 1, print: sample => $"{string.Join("\n", sample.Item2.AsEnumerable())}\nsteps of {sample.Item3}\n{sample.Item1}");

    /// <summary>What an erasure takes between two steps is in neither ledger and in no run.</summary>
    [Fact]
    public async Task An_erasure_between_the_steps_leaves_nothing_behind() =>
        await Gen.Select(Histories.OfSize(24, withActs: false), Gen.Select(InForceAtOnce, InForceAtOnce), Gen.Int[1, 6], Gen.Int[0, 12]).SampleAsync(async (history, settings, most, before) =>
        {
            var random = new Random(history.Seed);
            var company = Add(History.CompanyOf(stored.NextCompany(), settings.Item1));
            await stored.Store.AppendAsync(history.Arrival(order: 1, company));
            Change(company, settings.Item2);
            for (; before > 0 && Step(company, most); before--)
            {
            }

            var persons = StoredView.Read(stored.Store, Current(company), [], random).Profiles;
            if (persons.Count > 0)
            {
                Assert.True(ProfileId.TryParse(persons[random.Next(persons.Count)].Id, out var id));
                var state = (await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most)))!;
                while (!state.RowsGone)
                {
                    Step(company, most);
                    state = (await stored.Store.EraseAsync(company, erasure => erasure.Continue(state, most)))!;
                }
            }

            while (Step(company, most))
            {
            }

            AssertDerivedIsWhatARebuildGives(company);
        }, iter: StoreUnderTest.Histories(40), threads: 1, print: sample => $"{sample.Item2}\nsteps of {sample.Item3} after {sample.Item4}\n{sample.Item1}");

    [Fact]
    public async Task A_change_that_is_taken_back_on_the_way_leaves_what_was()
    {
        var company = Add(History.CompanyOf(stored.NextCompany(), new() { ServerSessionGapMinutes = 60 }));
        await stored.Store.AppendAsync([.. Enumerable.Range(0, 3).Select(number => Messages.Webhook(company, "ann@shop.com", $"w{number}", Messages.Ten + (number * 30 * 60_000L)))]);
        Change(company, new() { ServerSessionGapMinutes = 10 });
        for (var steps = 0; steps < 2; steps++) Step(company, 1);
        Change(company, new() { ServerSessionGapMinutes = 60 });
        while (Step(company, 1))
        {
        }

        AssertDerivedIsWhatARebuildGives(company);
    }

    /// <summary>A session that comes before its day was looked at takes a place that an earlier one has to get.</summary>
    [Fact]
    public async Task A_place_of_a_day_goes_to_the_earlier_session()
    {
        var company = Add(History.CompanyOf(stored.NextCompany(), new() { NewSessionsPerDay = 1 }));
        for (var number = 0; number < 3; number++) await stored.Store.AppendAsync([Messages.Identify(company, $"s{number}", "ann@shop.com", $"i{number}", Messages.Ten + number)]);
        Change(company, new() { NewSessionsPerDay = 2 });
        await stored.Store.AppendAsync([Messages.Identify(company, "s9", "ann@shop.com", "i9", Messages.Ten + 9)]);
        while (Step(company, 1))
        {
        }

        AssertDerivedIsWhatARebuildGives(company);
    }

    /// <summary>Which values mean nobody is a setting too, in force at once: so the two ledgers may name other keys of one payment.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_key_of_a_payment_stays_that_neither_ledger_names(bool isErased)
    {
        var company = Add(History.CompanyOf(stored.NextCompany(), new()));
        await stored.Store.AppendAsync([Messages.Webhook(company, "ann@shop.com", "paid", type: "payment_processed", data: """{"amount":5,"orderId":"shop-default","paymentId":"p-1"}""")]);
        Assert.Equal([":p-1", ":shop-default"], Keys());
        Change(company, new() { Currency = "EUR", Placeholders = ["shop-default"] });
        if (isErased)
        {
            // Until it is in both.
            while (Count("ledger_entry") < 2) Step(company, 1);
            Assert.NotNull(await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, Identifier.Email(company, "ann@shop.com").Id, Operator, suppress: false)));
            Assert.Equal(0, Count("payment_key"));
        }

        while (Step(company, 1))
        {
        }

        Assert.Equal(isErased ? [] : [":p-1"], Keys());
        AssertDerivedIsWhatARebuildGives(company);

        List<string> Keys() => beside.Database.Use("SELECT key FROM payment_key WHERE company = ? ORDER BY key").With(company.Number).DeferAll(row => row.Text(0)).Value;

        long Count(string table) => beside.Database.Use(string.Intern($"SELECT COUNT(*) FROM {table} WHERE company = ?")).With(company.Number).DeferAll(row => row.Long(0)).Value[0];
    }

    /// <summary>Whoever changed it was killed before it was derived: the server goes on.</summary>
    [Fact]
    public async Task What_was_left_is_gone_on_with_by_a_server()
    {
        using var left = new LeftInTheMiddle();
        await left.BeginAsync();
        await using var server = await ServerProcess.StartAsync(left.Folder);
        await server.PrintsAsync("are in force, and everything that depends on them is up to date");
        await AssertInForceAsync(left, "45 minutes", "JPY");
        var totals = (await new ShopBackend(server.Http, ServerProcess.ApiKey).ProfileOfAsync("ann@shop.com"))!["totals"]!;
        Assert.Equal(4, (int)totals["sessions"]!["server"]!);
        Assert.Equal("JPY", totals["revenue"]![0]!["currency"]!.ToString());
    }

    /// <summary>And so does the next command, which first says what is not in force yet.</summary>
    [Fact]
    public async Task Or_by_the_next_command()
    {
        using var left = new LeftInTheMiddle();
        await left.BeginAsync();
        Assert.Matches("not in force yet +session gap 45 minutes; payment types payment_processed, Order Completed, refund types .*, currency JPY; a running server or the next", await left.Trackmate.DoAsync("company show"));
        Assert.Contains("Not compared, because a change of settings is in progress: TM-SHOP99", await left.Trackmate.DoAsync("doctor"));
        Assert.Contains("\"currency\":\"JPY\"", (await left.Trackmate.DoAsync("export")).Split('\n')[0]);
        await left.Trackmate.DoAsync("company set --currency JPY");
        await AssertInForceAsync(left, "45 minutes", "JPY");
        Assert.DoesNotContain("\"ledger\"", (await left.Trackmate.DoAsync("export")).Split('\n')[0]);
    }

    private static async Task AssertInForceAsync(LeftInTheMiddle left, params string[] words)
    {
        var shown = await left.Trackmate.DoAsync("company show");
        Assert.DoesNotContain("not in force", shown);
        Assert.All(words, word => Assert.Contains(word, shown));
        Assert.All((await left.Trackmate.DoAsync("doctor")).Trim().Split('\n'), line => Assert.StartsWith("ok ", line));
    }

    /// <summary>A store of its own in which a change was noted, a step done, and no more.</summary>
    private sealed class LeftInTheMiddle : IDisposable
    {
        public CommandLineRunner Trackmate { get; } = new();

        public string Folder => Trackmate.DataFolder;

        public async Task BeginAsync()
        {
            using var registry = StoreUnderTest.In(Folder).MakeRegistry(TimeProvider.System);
            var company = registry.AddCompany(ServerProcess.CompanyId, "Shop");
            company = registry.Set(company, shop => shop with { Settings = shop.Settings with { ServerSessionGapMinutes = 60 } });
            using (var store = MessageStore.Open(StoreUnderTest.EngineOf(Folder), NullLogger.Instance))
                await store.AppendAsync([.. Enumerable.Range(0, 4).Select(number => Messages.Webhook(company, "ann@shop.com", $"w{number}", Messages.Ten + (number * 50 * 60_000L), "payment_processed", """{"amount":5}"""))]);
            using var engine = StoreUnderTest.EngineOf(Folder);
            using var beside = new OfflineWriter(engine);
            beside.Transact(company, writer =>
            {
                var settings = SettingsSteps.Begin(beside.Database, company, company.Settings with { ServerSessionGapMinutes = 45, Currency = "JPY" });
                beside.Database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(settings)).With(company.Number).Run();
                return SettingsSteps.Step(writer.Transaction, company, new(1, Timeout.InfiniteTimeSpan));
            });
        }

        public void Dispose() => Trackmate.Dispose();
    }

    private Company Add(Company company)
    {
        using var database = stored.OpenBeside();
        database.BeginWrite([(Engine.NoCompany, LockMode.Rewrite)]);
        database.Use("INSERT INTO company (id, company_id, name, secret, settings, created_ms) VALUES (?, ?, ?, ?, ?, 0)")
            .With(company.Number).With($"{company.CompanyId}-{company.Number}").With(company.Name).WithBlob(company.Secret).With(CompanyRows.Write(company.Settings)).Run();
        database.Execute("UPDATE registry_version SET version = version + 1");
        database.Commit();
        return Current(company);
    }

    private Company Current(Company company) => stored.Store.Read(CompanyRows.Read).Single(known => known.Number == company.Number);

    public void Dispose() => beside.Dispose();

    private void Change(Company company, CompanySettings wanted) =>
        beside.Transact(company, _ =>
        {
            var settings = SettingsSteps.Begin(beside.Database, CompanyRows.Read(beside.Database).Single(known => known.Number == company.Number), wanted);
            beside.Database.Use("UPDATE company SET settings = ? WHERE id = ?").With(CompanyRows.Write(settings)).With(company.Number).Run();
            return true;
        });

    private bool Step(Company company, int most) => beside.Transact(company, writer => SettingsSteps.Step(writer.Transaction, company, new(most, Timeout.InfiniteTimeSpan)) is not null);

    private void AssertDerivedIsWhatARebuildGives(Company company)
    {
        company = Current(company);
        var database = beside.Database;
        var kept = Derived(database, company);
        database.BeginWrite([(company.Number, LockMode.Rewrite)]);
        Rebuilder.Claims(database, company);
        Rebuilder.Everything(database, company);
        var rebuilt = Derived(database, company);
        database.Rollback();
        View.AssertEqual(rebuilt, kept, "A rebuild gives something else:");
    }

    private static string Derived(Database database, Company company) => RandomHistoriesTests.DerivedRows(database, company,
        [.. RandomHistoriesTests.DerivedTables, .. RandomHistoriesTests.PersonTables, .. RandomHistoriesTests.SessionTables, ("first_claim", "identifier, session, at_ms, event_id, standing"), ("(SELECT * FROM first_claim_day WHERE standing > 0) AS full_day", "identifier, day, standing"), ("rederive", "part")]);
}
