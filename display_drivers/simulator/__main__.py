from display_drivers.simulator.command import main

main()
